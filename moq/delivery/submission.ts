/**
 * What a participant asks of the delivery service: one object of its `mls` track. The bytes are the
 * submission's identity: the same ones again ask for nothing new, so whoever hears no answer may send
 * them again.
 */

import type { Reader } from '../wire/reader.ts'
import { DeliveryFormatError } from './errors.ts'
import { begin, decode, readBounded, readExactly, readSuite, writeText } from './fields.ts'
import { type DeliveryLimits, defaultDeliveryLimits } from './limits.ts'
import { COMMIT_HASH_BYTES, MAX_SIGNATURE_BYTES } from './report.ts'
import type { SuiteName } from './suites.ts'

/** What a member hands to the delivery service; `kind` tells which. */
export type Submission =
  /** Epoch 0 of a new group. `groupInfo` is an MLSMessage (RFC 9420 section 6). */
  | { readonly kind: 'create'; readonly suite: SuiteName; readonly groupInfo: Uint8Array }
  /** A member's or an external commit as MLSMessage, with the GroupInfo of the epoch it makes. */
  | { readonly kind: 'commit'; readonly commit: Uint8Array; readonly groupInfo: Uint8Array }
  /** Goodbye: the others are asked to remove the sender at once. */
  | { readonly kind: 'leave' }
  /** The commit that made `epoch` cannot be applied; see `report.ts`. */
  | {
      readonly kind: 'report'
      readonly epoch: number
      /** SHA-256 of the commit's MLSMessage. */
      readonly commitHash: Uint8Array
      readonly signature: Uint8Array
    }

const Kind = { CREATE: 1, COMMIT: 2, LEAVE: 3, REPORT: 4 } as const

/** The payload of an object of a participant's `mls` track. */
export function encodeSubmission(submission: Submission): Uint8Array {
  switch (submission.kind) {
    case 'create': {
      const writer = begin(submission.groupInfo.length).uint8(Kind.CREATE)
      writeText(writer, submission.suite)
      return writer.lengthPrefixed(submission.groupInfo).finish()
    }
    case 'commit':
      return begin(submission.commit.length + submission.groupInfo.length)
        .uint8(Kind.COMMIT)
        .lengthPrefixed(submission.commit)
        .lengthPrefixed(submission.groupInfo)
        .finish()
    case 'leave':
      return begin(0).uint8(Kind.LEAVE).finish()
    case 'report':
      return begin(0)
        .uint8(Kind.REPORT)
        .vi64(submission.epoch)
        .lengthPrefixed(submission.commitHash)
        .lengthPrefixed(submission.signature)
        .finish()
  }
}

/** @throws DeliveryFormatError */
export function decodeSubmission(
  bytes: Uint8Array,
  limits: DeliveryLimits = defaultDeliveryLimits,
): Submission {
  return decode(bytes, (reader) => readSubmission(reader, limits))
}

function readSubmission(reader: Reader, limits: DeliveryLimits): Submission {
  const kind = reader.uint8()
  switch (kind) {
    case Kind.CREATE: {
      const suite = readSuite(reader)
      const groupInfo = readBounded(reader, 'group info', limits.groupInfoBytes)
      return { kind: 'create', suite, groupInfo }
    }
    case Kind.COMMIT: {
      const commit = readBounded(reader, 'commit', limits.commitBytes)
      const groupInfo = readBounded(reader, 'group info', limits.groupInfoBytes)
      return { kind: 'commit', commit, groupInfo }
    }
    case Kind.LEAVE:
      return { kind: 'leave' }
    case Kind.REPORT: {
      const epoch = reader.vi64('epoch')
      const commitHash = readExactly(reader, 'commit hash', COMMIT_HASH_BYTES)
      const signature = readBounded(reader, 'signature', MAX_SIGNATURE_BYTES)
      return { kind: 'report', epoch, commitHash, signature }
    }
    default:
      throw new DeliveryFormatError(`unknown submission kind ${kind}`)
  }
}
