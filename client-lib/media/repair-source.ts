/**
 * The datagram objects of a track of ours that a relay may have lost and can still use: kept for a moment,
 * as they went out, and sent again on a FETCH (draft-18 section 10.12).
 */

import type { IncomingFetch, OutgoingObject } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { FetchRange } from '../../moq/wire/messages.ts'
import type { Property } from '../../moq/wire/properties.ts'

export interface RepairSourceOptions {
  /** ms, monotonic. */
  readonly now: () => number
  /** 0..255, the track's. */
  readonly priority: number
  /** How long an object is of use, ms; default 300. */
  readonly keepMs?: number
  /** Default 256 KiB. */
  readonly maxBytes?: number
}

interface Kept {
  readonly object: OutgoingObject
  readonly at: number
}

/** Objects of one answer. */
const MOST_OBJECTS = 128
const RETRY_MS = 500

export class RepairSource {
  private readonly options: RepairSourceOptions
  /** In the order in which they went out, which is that of their ids. */
  private readonly kept: Kept[] = []
  private bytes = 0

  constructor(options: RepairSourceOptions) {
    this.options = options
  }

  /** It went out, or was lost before it did. Kept as it is, not copied. */
  add(object: OutgoingObject): void {
    this.kept.push({ object, at: this.options.now() })
    this.bytes += sizeOf(object)
    this.forget()
  }

  /**
   * Answers a FETCH for this track, with what is still there of it.
   * @param properties the track's, as SUBSCRIBE_OK tells them
   */
  answer(request: IncomingFetch, properties: readonly Property[]): void {
    this.forget()
    const asked = repairable(request.range)
    if (asked === null) {
      const reason = 'only a few of the newest datagrams of one group can be fetched'
      request.reject(RequestCode.NOT_SUPPORTED, reason)
      return
    }
    const { group, first, last } = asked
    const found = this.kept.filter(
      ({ object: { group: of, object } }) => of === group && object >= first && object <= last,
    )
    if (found.length === 0) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'the objects are not kept any more')
      return
    }
    const { priority } = this.options
    const writer = request.openStream(priority, priority, request.groupOrder)
    if (writer === null) {
      request.reject(RequestCode.EXCESSIVE_LOAD, 'no stream is left for the answer', RETRY_MS)
      return
    }
    request.accept({ endOfTrack: false, end: { group, object: last + 1 }, properties })
    let next = first
    for (const { object } of found) {
      // What went by a stream, or is not kept, may exist: it is only not known here (section 11.4.4.2).
      if (object.object > next)
        writer.rangeEnd({ group, object: object.object - 1, kind: 'unknown' })
      writer.object({ ...object, subgroup: null, priority })
      next = object.object + 1
    }
    if (next <= last) writer.rangeEnd({ group, object: last, kind: 'unknown' })
    writer.finish()
  }

  private forget(): void {
    const { now, keepMs = 300, maxBytes = 256 * 1024 } = this.options
    const oldest = now() - keepMs
    let over = 0
    for (const { object, at } of this.kept) {
      if (at >= oldest && this.bytes <= maxBytes) break
      this.bytes -= sizeOf(object)
      over++
    }
    if (over > 0) this.kept.splice(0, over)
  }
}

/** Null for a range that is no repair's. */
function repairable(range: FetchRange): { group: number; first: number; last: number } | null {
  if (range.kind !== 'standalone') return null
  const { start, end } = range
  const count = end.object - start.object
  if (start.group !== end.group || count < 1 || count > MOST_OBJECTS) return null
  return { group: start.group, first: start.object, last: end.object - 1 }
}

function sizeOf({ properties, payload }: OutgoingObject): number {
  return properties.length + payload.length
}
