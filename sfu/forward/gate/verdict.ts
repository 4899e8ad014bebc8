/**
 * Why an object is not forwarded to a subscriber. `keys`: the SFrame tracker refused it. `key-frame`:
 * a base object, and nothing can be decoded until the next key frame. `base`: of an enhancement layer,
 * and its base frame was not forwarded. `reference`: of an enhancement layer, and the frame before it,
 * which it builds on, was not forwarded whole. `late`: a newer group, or a later part of this one, was
 * forwarded before.
 */
export const GATE_DROPS = ['keys', 'key-frame', 'base', 'reference', 'late'] as const
/**
 * Before a gate is asked, where the relay chooses: another `rendition` goes out to the subscriber, or
 * fewer temporal layers (`layer`).
 */
const SELECTION_DROPS = ['rendition', 'layer'] as const

export type GateDrop = (typeof GATE_DROPS)[number]
export type GateVerdict = 'forward' | GateDrop

/** Objects that were not forwarded to a subscriber, by reason. */
export type GateDropCounters = Record<GateDrop | (typeof SELECTION_DROPS)[number], number>

export function gateDropCounters(): GateDropCounters {
  const drops = [...GATE_DROPS, ...SELECTION_DROPS].map((drop) => [drop, 0])
  return Object.fromEntries(drops) as GateDropCounters
}

/** Whether the publisher should be asked for a key frame: see `KeyFrameRequests`. */
export function asksForKeyFrame(verdict: GateVerdict): boolean {
  return verdict === 'key-frame'
}
