/**
 * Range filters (draft-19 section 5.1.3): ranges of a number that an object or a track must be in to
 * pass. What cannot be satisfied is the fault of a request and not of the session, so it is a value
 * here, and whoever answers the request answers INVALID_FILTER.
 */

import { Reader } from './reader.ts'
import { MAX_VI64 } from './vi64.ts'
import { Writer } from './writer.ts'

/** Both ends pass. A range without an end is the last one. */
export interface ValueRange {
  readonly start: number | bigint
  readonly end: number | bigint | null
}

/** Passes objects by one of their numbers (draft-19 section 5.1.3). */
export type RangeFilter =
  | {
      readonly kind: 'ranges'
      /** 0..255. Filters of one set must all pass; one set that passes is enough. */
      readonly set: number
      /** Of the object and track property filters only; even. */
      readonly propertyType?: number | bigint
      /** Ascending. */
      readonly ranges: readonly ValueRange[]
    }
  /** In REQUEST_UPDATE only: every filter of this parameter goes. */
  | { readonly kind: 'remove' }
  /** Of the peer's only: to be answered with INVALID_FILTER. */
  | { readonly kind: 'invalid'; readonly reason: string }

/** What the values of one filter parameter may be. */
export interface RangeFilterForm {
  readonly hasPropertyType: boolean
  readonly maxValue: bigint
}

/** @throws RangeError for a filter that cannot be encoded (our own bug) */
export function encodeRangeFilter(filter: RangeFilter, form: RangeFilterForm): Uint8Array {
  if (filter.kind === 'remove') return new Uint8Array(0)
  if (filter.kind === 'invalid') throw new RangeError(`an invalid filter: ${filter.reason}`)
  if ((filter.propertyType !== undefined) !== form.hasPropertyType) {
    throw new RangeError('a property type belongs to a property filter, and only there')
  }
  const writer = new Writer(32).uint8(filter.set)
  if (filter.propertyType !== undefined) writer.vi64(filter.propertyType)
  let previous = 0n
  filter.ranges.forEach(({ start, end }, index) => {
    if (end === null && index < filter.ranges.length - 1) throw new RangeError('an end is missing')
    const from = BigInt(start)
    const to = end === null ? from : BigInt(end)
    if (from < previous || to < from) throw new RangeError('ranges must ascend')
    writer.vi64(from - previous)
    if (end !== null) writer.vi64(to - from)
    previous = to
  })
  return writer.finish()
}

/** @throws ProtocolError when the bytes end within a field */
export function decodeRangeFilter(bytes: Uint8Array, form: RangeFilterForm): RangeFilter {
  if (bytes.length === 0) return { kind: 'remove' }
  const reader = new Reader(bytes)
  const set = reader.uint8()
  const propertyType = form.hasPropertyType ? reader.vi64Any() : undefined
  if (propertyType !== undefined && BigInt(propertyType) % 2n === 1n) {
    return invalid(`property type ${propertyType} is odd: its value is no integer`)
  }
  if (reader.remaining === 0) return invalid('a filter without a range')
  const ranges: ValueRange[] = []
  let previous = 0n
  while (reader.remaining > 0) {
    const start = previous + BigInt(reader.vi64Any())
    const end = reader.remaining > 0 ? start + BigInt(reader.vi64Any()) : null
    previous = end ?? start
    if (previous > form.maxValue) return invalid(`a value above ${form.maxValue}`)
    ranges.push({ start: compact(start), end: end === null ? null : compact(end) })
  }
  return { kind: 'ranges', set, ...(propertyType !== undefined && { propertyType }), ranges }
}

/** Whether both say the same set (and property type), which may stand once in a message. */
export function sameSet(a: RangeFilter, b: RangeFilter): boolean {
  if (a.kind !== 'ranges' || b.kind !== 'ranges') return a.kind === b.kind
  return a.set === b.set && a.propertyType === b.propertyType
}

export function invalid(reason: string): RangeFilter {
  return { kind: 'invalid', reason }
}

/** A number where it is safe, as everywhere in this codec. */
function compact(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** Forms of the parameters: see draft-19 sections 10.2.10 to 10.2.14. */
export const PLAIN: RangeFilterForm = { hasPropertyType: false, maxValue: MAX_VI64 }
export const PRIORITY: RangeFilterForm = { hasPropertyType: false, maxValue: 255n }
export const PROPERTY: RangeFilterForm = { hasPropertyType: true, maxValue: MAX_VI64 }
