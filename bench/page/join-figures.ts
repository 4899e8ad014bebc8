/** How long each step of a join took, in numbers. */

import type { JoinTimes } from '../../client-lib/index.ts'
import { table } from '../report/table.ts'
import { type Percentiles, percentilesOf } from './spread.ts'

/** Of one join, ms since Join was pressed; null for what did not happen in time. */
export interface JoinRecord {
  /** `joinCall` was called. */
  readonly called: number | null
  readonly steps: JoinTimes
  /** A picture was on the page, as seen from outside of the library. */
  readonly seen: number | null
}

export interface JoinFigures {
  readonly joins: number
  /** Joins that brought no picture or no sound in time. */
  readonly failed: number
  /** ms since Join was pressed. */
  readonly firstPictureMs: Percentiles
  readonly firstSoundMs: Percentiles
  /** ms since Join was pressed, by step. */
  readonly steps: readonly { readonly name: string; readonly ms: Percentiles }[]
}

const STEPS: readonly (readonly [keyof JoinTimes, string])[] = [
  ['transport', 'connected: transport'],
  ['connected', 'connected: SETUP'],
  ['groupInfo', 'group: GroupInfo'],
  ['keys', 'group: joined, keys'],
  ['subscribed', 'picture: SUBSCRIBE_OK'],
  ['firstObject', 'picture: first object'],
  ['firstDecoded', 'picture: decoded'],
  ['firstPicture', 'picture: given to its canvas'],
  ['firstSound', 'sound: decoded'],
]

export function joinFigures(records: readonly JoinRecord[]): JoinFigures {
  const of = (figure: (record: JoinRecord) => number | null): Percentiles =>
    percentilesOf(records.map(figure).filter((ms) => ms !== null))
  return {
    joins: records.length,
    failed: records.filter(({ seen, steps }) => seen === null || steps.firstHeard === null).length,
    firstPictureMs: of(({ seen }) => seen),
    firstSoundMs: of(({ steps }) => steps.firstHeard),
    steps: [
      { name: 'joinCall called', ms: of(({ called }) => called) },
      ...STEPS.map(([step, name]) => ({ name, ms: of(({ steps }) => steps[step]) })),
    ],
  }
}

export function joinTable({ firstPictureMs, firstSoundMs, steps }: JoinFigures): string {
  const row = (name: string, { p50, p95, max }: Percentiles) => [name, ms(p50), ms(p95), ms(max)]
  return table(
    ['since Join was pressed, ms', 'p50', 'p95', 'max'],
    [
      ...steps.map((step) => row(step.name, step.ms)),
      row('first picture, seen on the page', firstPictureMs),
      row('first sound, at the loudspeaker', firstSoundMs),
    ],
  )
}

function ms(value: number | null): string {
  return value === null ? 'none' : value.toFixed(0)
}
