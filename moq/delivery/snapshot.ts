/**
 * The newest state that a newcomer can join from: the one object of a group of the `group-info` track.
 * An empty payload says that the room has no group yet: create one.
 */

import { begin, decode, readBounded, readSuite, writeText } from './fields.ts'
import { type DeliveryLimits, defaultDeliveryLimits } from './limits.ts'
import type { SuiteName } from './suites.ts'

/** A state of the group that a newcomer can join from. */
export interface Snapshot {
  readonly epoch: number
  /**
   * Where the `log` track is: every commit after this epoch is in a later group. As long as nothing is
   * skipped, epoch e is in group logGroup + e - epoch.
   */
  readonly logGroup: number
  readonly suite: SuiteName
  /** GroupInfo with external_pub and ratchet_tree, as MLSMessage. */
  readonly groupInfo: Uint8Array
}

const none = new Uint8Array(0)

/** The payload of an object of the `group-info` track; null: there is no group yet. */
export function encodeSnapshot(snapshot: Snapshot | null): Uint8Array {
  if (snapshot === null) return none
  const writer = begin(snapshot.groupInfo.length).vi64(snapshot.epoch).vi64(snapshot.logGroup)
  writeText(writer, snapshot.suite)
  return writer.lengthPrefixed(snapshot.groupInfo).finish()
}

/**
 * Null: no group yet.
 * @throws DeliveryFormatError
 */
export function decodeSnapshot(
  bytes: Uint8Array,
  limits: DeliveryLimits = defaultDeliveryLimits,
): Snapshot | null {
  if (bytes.length === 0) return null
  return decode(bytes, (reader) => ({
    epoch: reader.vi64('epoch'),
    logGroup: reader.vi64('log group'),
    suite: readSuite(reader),
    groupInfo: readBounded(reader, 'group info', limits.groupInfoBytes),
  }))
}
