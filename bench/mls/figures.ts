/** What is measured at each size of a room. Times are wall time of this process, without any network. */

import type { SuiteName } from '../../moq/delivery/index.ts'

export interface Figure {
  readonly name: FigureName
  /** Head of its column. */
  readonly head: string
  readonly unit: 'ms' | 'B'
  readonly about: string
}

export type FigureName =
  | 'join'
  | 'joinApplied'
  | 'update'
  | 'updateApplied'
  | 'removal'
  | 'removalApplied'
  | 'service'
  | 'fetched'
  | 'sent'
  | 'joinCommit'
  | 'updateCommit'
  | 'removalCommit'

const figure = (
  name: FigureName,
  head: string,
  unit: Figure['unit'],
  about: string,
): readonly [FigureName, Figure] => [name, { name, head, unit, about }]

export const FIGURES: ReadonlyMap<FigureName, Figure> = new Map([
  figure(
    'join',
    'join',
    'ms',
    'a newcomer, from its start until it has the keys, the service included',
  ),
  figure(
    'joinApplied',
    'applied',
    'ms',
    'another member, from the commit of that join to its keys',
  ),
  figure('update', 'update', 'ms', "a member renews its keys, the service's part included"),
  figure(
    'updateApplied',
    'applied',
    'ms',
    'another member, from the commit of that update to its keys',
  ),
  figure('removal', 'removal', 'ms', "a member removes one that left, the service's part included"),
  figure(
    'removalApplied',
    'applied',
    'ms',
    'another member, from the commit of that removal to its keys',
  ),
  figure('service', 'service', 'ms', 'the delivery service checks and takes the commit of a join'),
  figure('fetched', 'fetched', 'B', 'a newcomer fetches: the GroupInfo with its tree'),
  figure('sent', 'sent', 'B', 'a newcomer submits: its commit and the next GroupInfo'),
  figure('joinCommit', 'join', 'B', 'each member gets for a join'),
  figure('updateCommit', 'update', 'B', 'each member gets for an update'),
  figure('removalCommit', 'removal', 'B', 'each member gets for a removal'),
])

/** Of one pass; null where there is nobody to measure it at. */
export type Sample = Readonly<Record<FigureName, number | null>>

/** Over the passes at one size. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export type Spreads = Readonly<Record<FigureName, Spread | null>>

export interface SizeFigures {
  /** With the newcomer of a pass. */
  readonly members: number
  readonly runs: number
  readonly figures: Spreads
}

export interface SuiteFigures {
  readonly suite: SuiteName
  readonly sizes: readonly SizeFigures[]
}

export function spreadsOf(samples: readonly Sample[]): Spreads {
  const all = [...FIGURES.keys()].map((name) => {
    const values = samples.map((sample) => sample[name]).filter((value) => value !== null)
    return [name, values.length === 0 ? null : spreadOf(values)] as const
  })
  return Object.fromEntries(all) as Record<FigureName, Spread | null>
}

/** Of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted.length >> 1
  const lower = (sorted.length - 1) >> 1
  const median = (sorted[lower]! + sorted[upper]!) / 2
  return { median, least: sorted[0]!, most: sorted.at(-1)! }
}
