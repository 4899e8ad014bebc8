/** Largest fields, in bytes, that a decoder takes. */
export interface DeliveryLimits {
  /** An MLS commit. X-Wing: about 1.3 kB a tree level, and 1.2 kB a blanked leaf in the worst case. */
  readonly commitBytes: number
  /** A GroupInfo with its ratchet tree. X-Wing: about 2.7 kB a member. */
  readonly groupInfoBytes: number
}

/** Enough for 250 members under X-Wing. */
export const defaultDeliveryLimits: DeliveryLimits = {
  commitBytes: 512 * 1024,
  groupInfoBytes: 1024 * 1024,
}
