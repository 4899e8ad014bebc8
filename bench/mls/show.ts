/** The figures as tables for a terminal, and as a plot. */

import { type Panel, plot } from '../report/plot.ts'
import { compact, table } from '../report/table.ts'
import {
  FIGURES,
  type Figure,
  type FigureName,
  type SizeFigures,
  type SuiteFigures,
} from './figures.ts'

const PLOTTED: readonly (readonly [FigureName, string])[] = [
  ['join', 'join'],
  ['update', 'update'],
  ['removal', 'removal'],
  ['updateApplied', 'an update applied by another'],
  ['fetched', 'fetched for a join'],
  ['updateCommit', 'commit of an update'],
]

/** Medians: a table of times and one of sizes. */
export function suiteTables({ suite, sizes }: SuiteFigures): string {
  const figures = [...FIGURES.values()]
  const one = (unit: Figure['unit']) => {
    const shown = figures.filter((figure) => figure.unit === unit)
    const head = ['members', ...shown.map(({ head }) => `${head} ${unit}`)]
    return table(
      head,
      sizes.map((size) => [`${size.members}`, ...shown.map((figure) => cell(size, figure))]),
    )
  }
  return `\n${suite}\n${one('ms')}\n${one('B')}`
}

/** What the columns mean. */
export function legend(): string {
  const lines = [...FIGURES.values()].map(
    ({ head, unit, about }) => `  ${`${head} ${unit}`.padEnd(12)}${about}\n`,
  )
  return `\nMedians of the passes:\n${lines.join('')}`
}

/** @returns an SVG document of the medians by members, a line a suite */
export function mlsPlot(suites: readonly SuiteFigures[]): string {
  const panels = PLOTTED.map(([name, title]): Panel => {
    const { unit } = FIGURES.get(name)!
    return {
      title,
      unit,
      xLabel: 'members',
      series: suites.map(({ suite, sizes }) => ({
        name: suite,
        points: sizes.flatMap(({ members, figures }) => {
          const spread = figures[name]
          return spread === null ? [] : [[members, spread.median] as const]
        }),
      })),
    }
  })
  return plot('MLS by members: median times without a network, and bytes', panels)
}

function cell({ figures }: SizeFigures, { name, unit }: Figure): string {
  const spread = figures[name]
  if (spread === null) return '-'
  return unit === 'ms' ? spread.median.toFixed(1) : compact(spread.median)
}
