import type { Parameters } from '../wire/parameters.ts'
import { findInteger, type Property, PropertyType } from '../wire/properties.ts'

/** The longest of the delivery timeouts that apply to a subscription (draft-18 section 8). */
export class LongestTimeout {
  /** 0 where none was set. */
  ms = 0

  /** Those that the subscriber asked for. */
  note({ objectDeliveryTimeout, subgroupDeliveryTimeout }: Parameters): void {
    this.ms = Math.max(this.ms, objectDeliveryTimeout ?? 0, subgroupDeliveryTimeout ?? 0)
  }

  /** Those of the track. */
  noteTrack(properties: readonly Property[]): void {
    this.ms = Math.max(
      this.ms,
      findInteger(properties, PropertyType.OBJECT_DELIVERY_TIMEOUT) ?? 0,
      findInteger(properties, PropertyType.SUBGROUP_DELIVERY_TIMEOUT) ?? 0,
    )
  }
}
