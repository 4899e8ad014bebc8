/** A load report as one HTML file: it opens without a network, and nothing in it runs. */

import { type Panel, plot, type Series } from '../../report/plot.ts'
import type { Goal, LabelReport, LoadReport, RunReport } from './figures.ts'
import { goalTable, runText } from './show.ts'

const STYLE = `body { font: 14px/1.4 sans-serif; margin: 2em auto; max-width: 62em; color: #222 }
pre { background: #f6f6f6; padding: 1em; overflow: auto; font-size: 12px }
svg { max-width: 100%; height: auto }
.wrong { color: #b00 }`

/** Points of a line beyond which more are not told apart. */
const MOST_POINTS = 200
/** Lines of a panel beyond which none can be followed. */
const MOST_LINES = 6
/** The slowest objects are in the table; a plot of them would hide the others. */
const SHOWN_SHARE = 0.999

export function loadHtml(report: LoadReport): string {
  const { scenario, target, machine, startedAt, valid, invalidBecause } = report
  const { runs, conclusions } = report
  const title = `${scenario} at ${target}`
  const wrong = invalidBecause.map(
    (reason) => `<p class="wrong">not valid: ${escapeHtml(reason)}</p>\n`,
  )
  const about =
    `${startedAt}, ${machine.cpu}, ${machine.cores} cores, ${machine.os}, Node ${machine.node}, ` +
    `load ${machine.loadAverage}`
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    `<title>${escapeHtml(title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n` +
    `<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(about)}</p>\n${valid ? '' : wrong.join('')}` +
    `${conclusionSection(conclusions)}${runs.map(runSection).join('')}</body>\n</html>\n`
  )
}

function conclusionSection(conclusions: readonly Goal[]): string {
  return conclusions.length === 0 ? '' : `<pre>${escapeHtml(goalTable(conclusions).trim())}</pre>\n`
}

function runSection(run: RunReport): string {
  const panels = [
    latencyPanel(run),
    labelPanel(run, 'received', 'Mbit/s', ({ megabitsPerSecond }) => megabitsPerSecond),
    cpuPanel(run),
    relayPanel(run, 'dropped by the relay', 'objects/s', 'droppedPerSecond'),
    labelPanel(run, 'chosen rendition', '0 smallest', ({ rendition }) => rendition),
    labelPanel(run, 'temporal layer', 'highest', ({ temporalLayer }) => temporalLayer),
    labelPanel(run, 'pictures', 'frames/s', ({ framesPerSecond }) => framesPerSecond),
    relayPanel(run, 'event loop of the relay', 'ms late', 'eventLoopLagMs'),
    relayPanel(run, 'waiting in the relay', 'bytes', 'waitingBytes'),
  ]
  const drawn = panels.filter(({ series }) => series.some(({ points }) => points.length > 0))
  return (
    `<h2>${escapeHtml(run.name)}</h2>\n${plot('', drawn, { dots: false })}` +
    `<pre>${escapeHtml(runText(run).trim())}</pre>\n`
  )
}

function latencyPanel({ latencyDistribution }: RunReport): Panel {
  return {
    title: 'one-way latency, share of objects',
    xLabel: 'ms',
    unit: '%',
    series: Object.entries(latencyDistribution).map(([name, distribution]) => ({
      name,
      points: thinned(
        distribution
          .filter(([, share]) => share <= SHOWN_SHARE)
          .map(([ms, share]) => [ms, share * 100] as const),
      ),
    })),
  }
}

function labelPanel(
  { labels }: RunReport,
  title: string,
  unit: string,
  of: (timeline: LabelReport['timeline']) => readonly (number | null)[],
): Panel {
  return {
    title,
    xLabel: 's',
    unit,
    series: labels.slice(0, MOST_LINES).map(({ label, timeline }) => ({
      name: label,
      points: over(
        timeline.rendition.map((_, step) => (step * timeline.stepMs) / 1000),
        of(timeline),
      ),
    })),
  }
}

function cpuPanel({ relayTimeline: { seconds, cpuCores } }: RunReport): Panel {
  const series: Series[] = [{ name: 'relay', points: over(seconds, cpuCores) }]
  return { title: 'CPU of the relay', xLabel: 's', unit: 'cores', series }
}

function relayPanel(
  { relayTimeline }: RunReport,
  title: string,
  unit: string,
  field: 'droppedPerSecond' | 'eventLoopLagMs' | 'waitingBytes',
): Panel {
  const points = over(relayTimeline.seconds, relayTimeline[field])
  return { title, xLabel: 's', unit, series: [{ name: 'relay', points }] }
}

function over(
  xs: readonly number[],
  ys: readonly (number | null)[],
): readonly (readonly [number, number])[] {
  const points = xs.flatMap((x, index) => {
    const y = ys[index]
    return y === null || y === undefined ? [] : [[x, y] as const]
  })
  return thinned(points)
}

function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.ceil(points.length / MOST_POINTS)
  return points.filter((_, index) => index % step === 0 || index === points.length - 1)
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
