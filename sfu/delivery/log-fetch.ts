/** Answers a FETCH for a room's log from the records that are kept (draft-18 section 10.12). */

import type { FetchWriter, IncomingFetch } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { GroupOrder } from '../../moq/wire/parameters.ts'
import type { Property } from '../../moq/wire/properties.ts'
import { endOf, type ObjectRange, RangeRefusal, rangeOf } from '../relay/fetch-range.ts'
import type { LogRecord } from './log.ts'

export interface LogTerms {
  /** 0..255, of the track. */
  readonly priority: number
  readonly properties: readonly Property[]
}

const NO_PROPERTIES = new Uint8Array(0)
const RETRY_MS = 500

/** @param records in order, groups and objects without gaps from the first on */
export function answerLogFetch(
  request: IncomingFetch,
  records: readonly LogRecord[],
  { priority, properties }: LogTerms,
): void {
  const first = records[0]
  const last = records.at(-1)
  if (!first || !last) {
    request.reject(RequestCode.INVALID_RANGE, 'nothing is published on this track')
    return
  }
  const asked = rangeOf(request.range, joiningLocation(request))
  if (asked instanceof RangeRefusal) {
    request.reject(asked.code, asked.reason)
    return
  }
  if (isAfter(asked.start, last)) {
    request.reject(RequestCode.INVALID_RANGE, 'the range begins behind the newest entry')
    return
  }
  const range = isAfter(asked.last, last) ? { start: asked.start, last } : asked
  const writer = request.openStream(priority, priority, request.groupOrder)
  if (writer === null) {
    request.reject(RequestCode.EXCESSIVE_LOAD, 'no stream is left for the answer', RETRY_MS)
    return
  }
  request.accept({ endOfTrack: false, end: endOf(range.last), properties })
  const kept = records.filter((at) => !isAfter(range.start, at) && !isAfter(at, range.last))
  write(writer, kept, range, first, request.groupOrder, priority)
  writer.finish()
}

/** What is asked for and no longer kept is told as unknown (section 11.4.4.2). */
function write(
  writer: FetchWriter,
  kept: readonly LogRecord[],
  range: ObjectRange,
  first: Location,
  order: GroupOrder,
  priority: number,
): void {
  const put = ({ group, object, bytes: payload }: LogRecord) =>
    writer.object({ group, object, subgroup: 0, priority, properties: NO_PROPERTIES, payload })
  const isCut = isAfter(first, range.start)
  if (order === 'ascending') {
    if (isCut) writer.rangeEnd({ ...nearer(before(first), range.last), kind: 'unknown' })
    kept.forEach(put)
    return
  }
  for (const group of [...new Set(kept.map((record) => record.group))].reverse()) {
    if (isCut && group === first.group && first.object > 0) {
      writer.rangeEnd({ group, object: first.object - 1, kind: 'unknown' })
    }
    for (const record of kept) if (record.group === group) put(record)
  }
  if (isCut && range.start.group < first.group) {
    const object = Number.MAX_SAFE_INTEGER
    writer.rangeEnd({ group: range.start.group, object, kind: 'unknown' })
  }
}

function before({ group, object }: Location): Location {
  if (object > 0) return { group, object: object - 1 }
  return { group: group - 1, object: Number.MAX_SAFE_INTEGER }
}

function nearer(a: Location, b: Location): Location {
  if (isAfter(a, b)) return { group: b.group, object: Math.min(b.object, Number.MAX_SAFE_INTEGER) }
  return a
}

function joiningLocation({ joining }: IncomingFetch): Location | null {
  return joining && 'joiningLocation' in joining ? joining.joiningLocation : null
}
