/** Figures as a person reads them, and as a line. */

/** @param bits a second */
export function bitrateText(bits: number): string {
  if (bits < 1_000_000) return `${Math.round(bits / 1000)} kbit/s`
  return `${(bits / 1_000_000).toFixed(1)} Mbit/s`
}

/** @param share 0..1 */
export function shareText(share: number): string {
  const percent = share * 100
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`
}

/** @param ms null: not known */
export function msText(ms: number | null): string {
  return ms === null ? 'not known' : `${Math.round(ms)} ms`
}

/**
 * The `d` of an SVG path through the values, from the left, the newest at the right end.
 * @param points for which there is room; fewer values begin further right
 * @param least what the whole height stands for, at least
 */
export function linePath(
  values: readonly number[],
  { width, height, points, least }: LineBox,
): string {
  if (values.length === 0) return ''
  const most = Math.max(least, ...values)
  const step = width / (points - 1)
  const from = width - (values.length - 1) * step
  return values
    .map((value, at) => {
      const x = (from + at * step).toFixed(1)
      const y = (height - (value / most) * height).toFixed(1)
      return `${at === 0 ? 'M' : 'L'}${x} ${y}`
    })
    .join('')
}

export interface LineBox {
  readonly width: number
  readonly height: number
  readonly points: number
  readonly least: number
}
