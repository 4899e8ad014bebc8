/** The colours of the page, as its styles have them: what is written can be read in light and in dark. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const styles = readFileSync(new URL('./styles/base.css', import.meta.url), 'utf8')
const [, light = '', dark = ''] = styles.split(':root {')

/** WCAG 2.2: text, and what a control is known by. */
const TEXT = 4.5
const CONTROL = 3

function palette(block: string): Map<string, string> {
  const found = block.slice(0, block.indexOf('}')).matchAll(/--([a-z-]+): (#[0-9a-f]{3,6});/g)
  return new Map([...found].map(([, name = '', colour = '']) => [name, colour]))
}

/** Relative luminance of `#rgb` or `#rrggbb`, 0..1. */
function luminance(colour: string): number {
  const digits = colour.slice(1)
  const wide = digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(wide.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter! + 0.05) / (darker! + 0.05)
}

/** `share` of one colour, mixed into another. */
function mixed(one: string, other: string, share: number): string {
  const part = (colour: string, at: number) => Number.parseInt(colour.slice(at, at + 2), 16)
  const channels = [1, 3, 5].map((at) =>
    Math.round(part(one, at) * share + part(other, at) * (1 - share))
      .toString(16)
      .padStart(2, '0'),
  )
  return `#${channels.join('')}`
}

describe.each([
  ['light', palette(light)],
  ['dark', new Map([...palette(light), ...palette(dark)])],
])('the %s colours', (_name, colours) => {
  const of = (name: string) => colours.get(name)!

  it('has every colour that is asked for here', () => {
    expect(colours.size).toBeGreaterThan(10)
  })

  it.each([
    ['ink', 'ground'],
    ['ink', 'surface'],
    ['ink', 'tile'],
    ['soft', 'ground'],
    ['soft', 'surface'],
    ['soft', 'tile'],
    ['accent', 'ground'],
    ['accent', 'surface'],
    ['on-accent', 'accent'],
    ['danger', 'ground'],
    ['danger', 'surface'],
    ['on-danger', 'danger'],
    ['on-notice', 'notice'],
  ])('let %s be read on %s', (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(TEXT)
  })

  it('let the badge of the encryption, and a text of ours, be read on their tints', () => {
    const badge = mixed(of('accent'), of('ground'), 0.14)
    expect(contrast(of('accent'), badge)).toBeGreaterThanOrEqual(TEXT)
    const bubble = mixed(of('accent'), of('surface'), 0.13)
    expect(contrast(of('ink'), bubble)).toBeGreaterThanOrEqual(TEXT)
  })

  it.each([
    'ground',
    'surface',
  ])('let the edge of a field, and the focus, be seen on %s', (ground) => {
    expect(contrast(of('edge'), of(ground))).toBeGreaterThanOrEqual(CONTROL)
    expect(contrast(of('accent'), of(ground))).toBeGreaterThanOrEqual(CONTROL)
  })
})
