/**
 * The priority of a subscriber or publisher that tells none (draft-18 sections 10.2.7 and 12.4), of
 * 0..255; lower is sent first.
 */
export const DEFAULT_PRIORITY = 128
