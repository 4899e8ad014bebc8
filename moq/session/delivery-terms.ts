import type { Location } from '../wire/location.ts'
import type { GroupOrder, Parameters } from '../wire/parameters.ts'
import { DEFAULT_PRIORITY } from '../wire/priority.ts'
import { filterRange } from './filter.ts'

/** What a subscriber wants of a track and how, as its parameters say (draft-18 section 10.2). */
export class DeliveryTerms {
  /** 0..255, lower is sent first (section 7.1). */
  subscriberPriority = DEFAULT_PRIORITY
  /** Null: the publisher's preference. */
  groupOrder: GroupOrder | null = null
  /** Objects are sent only while this is true (section 5.1, Forward State). */
  forward = true
  /** First location that passes the filter, and last group. */
  start: Location = { group: 0, object: 0 }
  endGroup = Number.POSITIVE_INFINITY
  /** ms; null: the subscriber gave none (section 8). */
  objectDeliveryTimeout: number | null = null
  subgroupDeliveryTimeout: number | null = null

  /**
   * Only what is given changes.
   * @param largest the Largest Object now, for filters relative to it
   */
  protected apply(parameters: Parameters, largest: Location | null): void {
    const { subscriberPriority, groupOrder, forward, filter } = parameters
    if (subscriberPriority !== undefined) this.subscriberPriority = subscriberPriority
    if (groupOrder !== undefined) this.groupOrder = groupOrder
    if (forward !== undefined) this.forward = forward
    const { objectDeliveryTimeout, subgroupDeliveryTimeout } = parameters
    if (objectDeliveryTimeout !== undefined) this.objectDeliveryTimeout = objectDeliveryTimeout
    if (subgroupDeliveryTimeout !== undefined) {
      this.subgroupDeliveryTimeout = subgroupDeliveryTimeout
    }
    if (filter === undefined) return
    const { start, endGroup } = filterRange(filter, largest)
    this.start = start
    this.endGroup = endGroup
  }
}
