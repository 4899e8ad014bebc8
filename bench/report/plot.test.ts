import { describe, expect, it } from 'vitest'
import { type Panel, plot } from './plot.ts'

const panel: Panel = {
  title: 'join <new>',
  xLabel: 'members',
  unit: 'ms',
  series: [
    {
      name: 'a & b',
      points: [
        [0, 0],
        [100, 50],
        [200, 100],
      ],
    },
    { name: 'other', points: [[200, 25]] },
  ],
}

describe('plot', () => {
  it('puts points where their values say, on a scale from 0', () => {
    // The drawing of a panel spans x 48 to 288 and y 184 to 30.
    expect(plot('Title', [panel])).toContain('points="48,184 168,107 288,30"')
    expect(plot('Title', [panel])).toContain('cx="288" cy="145.5"')
  })

  it('names each series once, in the colour of its line, in every panel', () => {
    const svg = plot('Title', [panel, { ...panel, series: [panel.series[1]!] }])
    expect(svg.match(/>other</g)).toHaveLength(1)
    expect(svg.match(/<polyline[^>]*stroke="#d55e00"/g)).toHaveLength(2)
  })

  it('gives each name of the legend its room, in more rows where one is full', () => {
    const names = [
      'audio',
      'publishers who come and go',
      'who comes and goes',
      'who stays',
      'relay',
    ]
    const series = names.map((name) => ({ name, points: [[1, 1]] as const }))
    const svg = plot('', [{ ...panel, series }], { columns: 1 })
    const at = names.map((name) => {
      const [, x, y] = new RegExp(`<text x="(\\d+)" y="(\\d+)" >${name}<`).exec(svg)!
      return { left: Number(x), right: Number(x) + 6 * name.length, y }
    })
    for (const [index, { left, right, y }] of at.entries()) {
      expect(right).toBeLessThanOrEqual(300)
      const before = at[index - 1]
      if (before?.y === y) expect(left).toBeGreaterThan(before!.right)
    }
    expect(new Set(at.map(({ y }) => y)).size).toBeGreaterThan(1)
    expect(new Set(svg.match(/<polyline[^>]*stroke="#\w+"/g)).size).toBe(5)
  })

  it('escapes what would be markup', () => {
    const svg = plot('a < b', [panel])
    expect(svg).toContain('join &lt;new&gt; (ms)')
    expect(svg).toContain('a &amp; b')
    expect(svg).toContain('>a &lt; b<')
  })

  it('draws a panel of zeros and one without points', () => {
    const zeros = { ...panel, series: [{ name: 'a', points: [[2, 0]] as const }] }
    const svg = plot('Title', [zeros, { ...panel, series: [] }])
    expect(svg).toContain('<circle')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })
})
