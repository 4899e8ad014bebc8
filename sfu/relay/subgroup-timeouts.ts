import { decodeProperties, findInteger, PropertyType } from '../../moq/wire/properties.ts'

/**
 * Delivery timeouts of one subgroup, which stand for the track's (draft-19 section 8): ms, Infinity for
 * none; null: the track's holds.
 */
export interface SubgroupTimeouts {
  readonly objectMs: number | null
  readonly subgroupMs: number | null
}

/** @param properties of the subgroup's first object; @returns null when they say nothing of it */
export function subgroupTimeouts(properties: Uint8Array): SubgroupTimeouts | null {
  if (properties.length === 0) return null
  const decoded = decodeProperties(properties)
  const timeout = (type: number) => {
    const value = findInteger(decoded, type)
    return value === undefined ? null : value || Number.POSITIVE_INFINITY
  }
  const objectMs = timeout(PropertyType.OBJECT_DELIVERY_TIMEOUT)
  const subgroupMs = timeout(PropertyType.SUBGROUP_DELIVERY_TIMEOUT)
  return objectMs === null && subgroupMs === null ? null : { objectMs, subgroupMs }
}
