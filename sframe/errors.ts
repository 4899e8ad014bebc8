/**
 * The registry of what can go wrong in SFrame. A peer's bytes and the limits of a key end in an
 * `SFrameError` with a stable `code`; a mistake of the calling program is a `RangeError`.
 */
import type { UInt64 } from './uint64.ts'

interface ErrorEntry {
  /** What happened, as the message says it. */
  readonly meaning: string
  /** What the application does about it. */
  readonly remedy: string
}

/** Every code, what it means and what to do. */
export const sframeErrors = {
  'malformed-header': {
    meaning: 'the SFrame header is not in its shortest form',
    remedy: 'discard the frame; the sender or something on the path is broken',
  },
  truncated: {
    meaning: 'the bytes end before the SFrame header and the authentication tag do',
    remedy: 'discard the frame; check reassembly',
  },
  'unknown-kid': {
    meaning: 'no key is installed for this KID',
    remedy: 'discard the frame, or hold it briefly until the epoch is installed',
  },
  replayed: {
    meaning: 'a frame with this KID and counter was accepted before',
    remedy: 'discard the frame; duplicates on the path are harmless',
  },
  'too-old': {
    meaning: 'the counter is behind the replay window',
    remedy: 'discard the frame; widen the replay window if reordering is expected',
  },
  'authentication-failed': {
    meaning: 'the authentication tag does not match',
    remedy: 'discard the frame; many in a row mean another key, other metadata or an attack',
  },
  'limit-exceeded': {
    meaning: 'this sender uses more contexts or tracks than the receiver keeps state for',
    remedy: 'discard the frame; raise the limit if the sender is honest',
  },
  'counter-exhausted': {
    meaning: 'the sender has used every counter of its key',
    remedy: 'switch to a sender of the next epoch',
  },
  'kid-in-use': {
    meaning: 'another sender took counters of this base key and KID',
    remedy: 'use another context value for another stream',
  },
  'key-deleted': {
    meaning: 'the key was deleted',
    remedy: 'use a sender or receiver of a current epoch',
  },
  'unsupported-suite': {
    meaning: 'the cipher suite is not known',
    remedy: 'agree on one of the suites in `suites`',
  },
} as const satisfies Record<string, ErrorEntry>

/** Names of the errors. */
export type SFrameErrorCode = keyof typeof sframeErrors

/** What this package throws; `code` is for the program, the message for a person. */
export class SFrameError extends Error {
  override readonly name = 'SFrameError'
  readonly code: SFrameErrorCode
  /** The KID that the header claims or the key has; null where there is none. Not a secret. */
  readonly kid: UInt64 | null

  constructor(code: SFrameErrorCode, kid: UInt64 | null = null, detail = '') {
    const subject = kid === null ? '' : ` (KID ${kid})`
    super(`${sframeErrors[code].meaning}${detail === '' ? '' : `: ${detail}`}${subject}`)
    this.code = code
    this.kid = kid
  }
}
