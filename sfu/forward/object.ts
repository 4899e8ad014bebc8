/** The marking of an object that is no part of a picture, or states an end. */
export const UNMARKED = -1

/**
 * One object on its way to all of a track's subscribers: encoded once, shared by every queue. Its
 * bytes are the publisher's, never altered.
 */
export interface ForwardObject {
  readonly group: number
  readonly object: number
  /** -1 for a datagram. */
  readonly subgroup: number
  /** Publisher priority 0..255, the track's default resolved; the same in all of a subgroup. */
  readonly priority: number
  /** See `markingOf` in `gate/marking.ts`; `UNMARKED` where no gate judges the object. */
  readonly marking: number
  /** See `TrackKeys.read`; negative: no subscriber gets it. */
  readonly generation: number
  /** Subgroup objects: what stands behind the object id on the stream. */
  readonly body: Uint8Array
  readonly payloadLength: number
  /** Datagrams: the whole datagram under the relay's alias; null for a subgroup object. */
  readonly datagram: Uint8Array | null
  /** When its first byte came, ms of the relay's clock. */
  readonly arrivedAt: number
}
