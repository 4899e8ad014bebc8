import type { GroupOrder } from '../../moq/wire/parameters.ts'
import { DEFAULT_PRIORITY } from '../../moq/wire/priority.ts'
import { findInteger, type Property, PropertyType } from '../../moq/wire/properties.ts'

/** What a track's properties say of its delivery (draft-18 section 12). */
export interface TrackDefaults {
  /** 0..255 (section 12.4). */
  readonly priority: number
  readonly groupOrder: GroupOrder
  /** The relay may ask for new groups. */
  readonly dynamicGroups: boolean
  /** Section 8, ms; Infinity where the publisher set none. */
  readonly objectTimeoutMs: number
  readonly subgroupTimeoutMs: number
  /** Section 12.3, ms; Infinity where the publisher set none. */
  readonly maxCacheMs: number
}

export const NO_DEFAULTS: TrackDefaults = trackDefaults([])

export function trackDefaults(properties: readonly Property[]): TrackDefaults {
  const value = (type: number) => findInteger(properties, type)
  const timeout = (type: number) => value(type) || Number.POSITIVE_INFINITY
  return {
    priority: value(PropertyType.DEFAULT_PUBLISHER_PRIORITY) ?? DEFAULT_PRIORITY,
    groupOrder:
      value(PropertyType.DEFAULT_PUBLISHER_GROUP_ORDER) === 2 ? 'descending' : 'ascending',
    dynamicGroups: value(PropertyType.DYNAMIC_GROUPS) === 1,
    objectTimeoutMs: timeout(PropertyType.OBJECT_DELIVERY_TIMEOUT),
    subgroupTimeoutMs: timeout(PropertyType.SUBGROUP_DELIVERY_TIMEOUT),
    maxCacheMs: value(PropertyType.MAX_CACHE_DURATION) ?? Number.POSITIVE_INFINITY,
  }
}
