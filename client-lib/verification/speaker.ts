/** Says our own statements: at every change, and again and again in between. */

import type { Clock } from '../../moq/session/clock.ts'
import type { Ledger } from './ledger.ts'
import type { LeafSignatures } from './signatures.ts'
import { attachSignature, encodeStatement, MAX_ROWS, STATEMENT_LABEL } from './statement.ts'

export interface SpeakerOptions {
  readonly participantId: string
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  readonly ledger: Ledger
  readonly signatures: LeafSignatures
  readonly publish: (statement: Uint8Array) => void
}

/** Changes that come together are told together, ms. */
const GATHER_MS = 100
/** A statement a second in a small room; in a large one each speaks less often. */
const MIN_REPEAT_MS = 1000
const REPEAT_MS_A_MEMBER = 200
/** Rows of a repetition; the whole history is told at changes and to newcomers. */
const REPEATED_ROWS = 4

/** How often a member of a room of so many repeats itself, ms. */
export function repeatMs(members: number): number {
  return Math.max(MIN_REPEAT_MS, members * REPEAT_MS_A_MEMBER)
}

export class Speaker {
  /** JWK thumbprint of our leaf's key; null before we have one. */
  fingerprint: string | null = null
  members = 1
  private readonly options: SpeakerOptions
  private sequence = 0
  private cancel: () => void = () => {}
  private dueAt = Number.POSITIVE_INFINITY
  private rows = REPEATED_ROWS
  private speaking: Promise<void> | null = null
  private closed = false

  constructor(options: SpeakerOptions) {
    this.options = options
  }

  /** Everything, soon: something changed, or somebody asks. */
  tellAll(): void {
    this.rows = MAX_ROWS
    this.schedule(GATHER_MS)
  }

  idle(): Promise<void> {
    return this.speaking ?? Promise.resolve()
  }

  close(): void {
    this.closed = true
    this.cancel()
  }

  private schedule(ms: number): void {
    const at = this.options.clock.now() + ms
    if (this.closed || at >= this.dueAt) return
    this.cancel()
    this.dueAt = at
    this.cancel = this.options.clock.after(ms, () => this.speak())
  }

  private speak(): void {
    this.dueAt = Number.POSITIVE_INFINITY
    if (this.speaking === null) {
      this.speaking = this.say().finally(() => {
        this.speaking = null
      })
    }
    this.schedule(repeatMs(this.members))
  }

  private async say(): Promise<void> {
    const { participantId, ledger, signatures, wallClock, publish } = this.options
    const { fingerprint } = this
    const rows = ledger.newest(this.rows)
    if (fingerprint === null || rows.length === 0) return
    this.rows = REPEATED_ROWS
    this.sequence = Math.max(this.sequence + 1, Math.floor(wallClock()))
    const { sequence } = this
    const content = encodeStatement({ sequence, participantId, fingerprint, rows })
    let signature: Uint8Array
    try {
      signature = await signatures.sign(STATEMENT_LABEL, content)
    } catch {
      // In no group for the moment; of the next one there will be a statement.
      return
    }
    if (!this.closed) publish(attachSignature(content, signature))
  }
}
