import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layOut } from './grid.ts'

const GAP = 12

describe('layOut', () => {
  it.each([
    [1, 1, 1],
    [2, 2, 1],
    [3, 2, 2],
    [4, 2, 2],
    [6, 3, 2],
    [9, 3, 3],
  ])('%i on a wide screen', (count, columns, rows) => {
    expect(layOut(count, 1280, 720, GAP)).toMatchObject({ columns, rows })
  })

  it.each([
    [1, 1, 1],
    [2, 1, 2],
    [4, 2, 2],
    [9, 2, 5],
  ])('%i on a phone', (count, columns, rows) => {
    expect(layOut(count, 366, 650, GAP)).toMatchObject({ columns, rows })
  })

  it('fits on the stage, in whole pixels, in the shape of a picture', () => {
    const side = fc.integer({ min: 200, max: 4000 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 25 }), side, side, (count, width, height) => {
        const { columns, rows, tileWidth, tileHeight } = layOut(count, width, height, GAP)
        expect(columns * rows).toBeGreaterThanOrEqual(count)
        expect(columns * tileWidth + (columns - 1) * GAP).toBeLessThanOrEqual(width)
        expect(rows * tileHeight + (rows - 1) * GAP).toBeLessThanOrEqual(height)
        expect(Number.isInteger(tileWidth) && Number.isInteger(tileHeight)).toBe(true)
        expect(tileWidth).toBeLessThanOrEqual(((tileHeight + 1) * 16) / 9)
        expect(tileHeight).toBeLessThanOrEqual(((tileWidth + 1) * 4) / 3)
      }),
    )
  })

  it('survives a stage that is not there, and a call without tiles', () => {
    expect(layOut(3, 0, 0, GAP)).toMatchObject({ tileWidth: 0, tileHeight: 0 })
    expect(layOut(0, 1280, 720, GAP)).toMatchObject({ tileWidth: 0 })
  })
})
