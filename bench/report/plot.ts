/** Line plots as SVG text: small panels beside each other, one line a series, a legend on top. */

export interface Series {
  readonly name: string
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Panel {
  readonly title: string
  /** What x counts. */
  readonly xLabel: string
  readonly unit: string
  readonly series: readonly Series[]
}

const PANEL = { width: 300, height: 220 }
/** Around the drawing of a panel, for its title and the numbers at its axes. */
const MARGIN = { left: 48, right: 12, top: 30, bottom: 36 }
const TITLE_HEIGHT = 26
/** Of a row of the legend. */
const LEGEND_ROW = 22
/** Of a line of the legend with the space around it, and of a letter of its name, about. */
const LEGEND_LINE = 40
const LETTER = 6
const TICKS = 4
/** Told apart by the colour-blind too (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000', '#999']

export interface PlotOptions {
  /** Panels beside each other; default 3. */
  readonly columns?: number
  /** Whether each point has a dot; default true. */
  readonly dots?: boolean
}

/**
 * @param title above all panels; may be empty
 * @returns an SVG document; every panel has its own scale, from 0
 */
export function plot(
  title: string,
  panels: readonly Panel[],
  { columns = 3, dots = true }: PlotOptions = {},
): string {
  const rows = Math.ceil(panels.length / columns)
  const width = columns * PANEL.width
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))]
  const places = legendPlaces(names, width)
  const above = TITLE_HEIGHT + ((places.at(-1)?.row ?? 0) + 1) * LEGEND_ROW
  const height = above + rows * PANEL.height
  const drawn = panels.map((panel, i) => {
    const x = (i % columns) * PANEL.width
    const y = above + Math.floor(i / columns) * PANEL.height
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, names, dots)}</g>\n`
  })
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" font-family="sans-serif" font-size="11" fill="#333">\n` +
    `<rect width="${width}" height="${height}" fill="#fff"/>\n` +
    `${title && text(MARGIN.left, 20, title, 'font-size="14" font-weight="bold"')}` +
    `${places.map(drawName).join('')}${drawn.join('')}</svg>\n`
  )
}

interface LegendPlace {
  readonly name: string
  readonly index: number
  readonly x: number
  readonly row: number
}

/** One name after the other, in as many rows as they need. */
function legendPlaces(names: readonly string[], width: number): LegendPlace[] {
  let [x, row] = [MARGIN.left, 0]
  return names.map((name, index) => {
    const size = LEGEND_LINE + name.length * LETTER
    if (x + size > width && x > MARGIN.left) {
      x = MARGIN.left
      row++
    }
    const place = { name, index, x, row }
    x += size
    return place
  })
}

function drawName({ name, index, x, row }: LegendPlace): string {
  const y = TITLE_HEIGHT + 12 + row * LEGEND_ROW
  const line = `<line x1="${x}" y1="${y}" x2="${x + 20}" y2="${y}" stroke="${colour(index)}" stroke-width="2"/>\n`
  return line + text(x + 26, y + 4, name)
}

function drawPanel(
  { title, xLabel, unit, series }: Panel,
  names: readonly string[],
  dots: boolean,
): string {
  const points = series.flatMap((line) => line.points)
  const xTop = niceTop(points.map(([x]) => x))
  const yTop = niceTop(points.map(([, y]) => y))
  const right = PANEL.width - MARGIN.right
  const bottom = PANEL.height - MARGIN.bottom
  const xAt = (x: number) => round(MARGIN.left + (x / xTop) * (right - MARGIN.left))
  const yAt = (y: number) => round(bottom - (y / yTop) * (bottom - MARGIN.top))
  let out = text(MARGIN.left, 18, `${title} (${unit})`, 'font-weight="bold"')
  for (let i = 0; i <= TICKS; i++) {
    const [x, y] = [(xTop * i) / TICKS, (yTop * i) / TICKS]
    out +=
      `<line x1="${MARGIN.left}" y1="${yAt(y)}" x2="${right}" y2="${yAt(y)}" stroke="#ddd"/>\n` +
      text(MARGIN.left - 6, yAt(y) + 4, short(y), 'text-anchor="end"') +
      text(xAt(x), bottom + 15, short(x), 'text-anchor="middle"')
  }
  out += text((MARGIN.left + right) / 2, bottom + 29, xLabel, 'text-anchor="middle"')
  for (const line of series) {
    const stroke = colour(names.indexOf(line.name))
    const at = line.points.map(([x, y]) => [xAt(x), yAt(y)] as const)
    const path = at.map(([x, y]) => `${x},${y}`).join(' ')
    out += `<polyline points="${path}" fill="none" stroke="${stroke}" stroke-width="2"/>\n`
    for (const [x, y] of dots ? at : [])
      out += `<circle cx="${x}" cy="${y}" r="3" fill="${stroke}"/>\n`
  }
  return out
}

/** The least 1, 2, 4 or 8 times a power of ten that is not below any of them. */
function niceTop(values: readonly number[]): number {
  const most = Math.max(...values, 0)
  if (most === 0) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 4, 8, 10].map((factor) => factor * power).find((top) => top >= most)!
}

function short(value: number): string {
  if (value >= 1_000_000) return `${round(value / 1_000_000)}M`
  return value >= 1000 ? `${round(value / 1000)}k` : `${round(value)}`
}

const round = (value: number) => Math.round(value * 100) / 100
const colour = (i: number) => COLOURS[i % COLOURS.length]!

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>\n`
}
