/**
 * Why an object of a publisher's was dropped. The first four name the bound that was reached, and count
 * the decisions; the others count what such a decision takes with it.
 *
 * `cut-group`: behind a dropped object of a base layer, up to the next key frame. `cut-frame`: the rest
 * of an enhancement frame of which a fragment was dropped. `no-base`: enhancement without its base.
 */
export const POLICE_DROPS = [
  'session-bytes',
  'session-objects',
  'track-bytes',
  'track-objects',
  'cut-group',
  'cut-frame',
  'no-base',
] as const

export type PoliceDrop = (typeof POLICE_DROPS)[number]

/** Objects by reason. */
export type PoliceCounters = Record<PoliceDrop, number>

export function makePoliceCounters(): PoliceCounters {
  return {
    'session-bytes': 0,
    'session-objects': 0,
    'track-bytes': 0,
    'track-objects': 0,
    'cut-group': 0,
    'cut-frame': 0,
    'no-base': 0,
  }
}
