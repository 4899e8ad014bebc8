/** Policing: what of a publisher's objects the relay takes, and what it drops first. */

export { Allowance, type Rate, UNLIMITED } from './allowance.ts'
export {
  makePoliceCounters,
  POLICE_DROPS,
  type PoliceCounters,
  type PoliceDrop,
} from './counters.ts'
export { Cut, type CutPoint, isChained, SessionPolice, TrackPolice } from './police.ts'
export {
  type Bounds,
  DEFAULT_POLICE,
  DEFAULT_POLICE_RATES,
  type PoliceRates,
  type PoliceSettings,
  policeSettings,
  UNLIMITED_POLICE_RATES,
} from './settings.ts'
