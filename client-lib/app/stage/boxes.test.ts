import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Area,
  type Box,
  capacityOf,
  gridBoxes,
  spotlightBoxes,
  stripCapacityOf,
} from './boxes.ts'

const GAP = 12
const area = fc.record({
  width: fc.integer({ min: 300, max: 3000 }),
  height: fc.integer({ min: 300, max: 3000 }),
})
const count = fc.integer({ min: 1, max: 20 })

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

function expectApart(boxes: readonly Box[], { width, height }: Area): void {
  boxes.forEach((box, at) => {
    // Rounded to whole pixels.
    expect(box.x).toBeGreaterThanOrEqual(-1)
    expect(box.y).toBeGreaterThanOrEqual(-1)
    expect(box.x + box.width).toBeLessThanOrEqual(width + 1)
    expect(box.y + box.height).toBeLessThanOrEqual(height + 1)
    for (const other of boxes.slice(at + 1)) expect(overlap(box, other)).toBe(false)
  })
}

describe('tiles side by side', () => {
  it('stand apart, inside the stage, all alike', () => {
    fc.assert(
      fc.property(count, area, (many, stage) => {
        const boxes = gridBoxes(many, stage, GAP)
        expect(boxes).toHaveLength(many)
        expect(new Set(boxes.map(({ width, height }) => `${width} ${height}`)).size).toBe(1)
        expectApart(boxes, stage)
      }),
    )
  })

  it('have their last row in the middle', () => {
    const [, , last] = gridBoxes(3, { width: 1280, height: 720 }, GAP)
    expect(last!.x + last!.width / 2).toBeCloseTo(640, -1)
  })

  it('are no more than can be told apart', () => {
    expect(capacityOf({ width: 1256, height: 640 }, GAP)).toBe(49)
    expect(capacityOf({ width: 366, height: 650 }, GAP)).toBeGreaterThanOrEqual(9)
    expect(capacityOf({ width: 0, height: 0 }, GAP)).toBe(2)
  })
})

describe('one large tile', () => {
  it('has the others beside it, apart and inside the stage', () => {
    fc.assert(
      fc.property(count, area, fc.boolean(), (many, stage, whole) => {
        const { main, others } = spotlightBoxes(many, stage, GAP, whole)
        expect(others).toHaveLength(many)
        expectApart([main, ...others], stage)
        for (const { width, height } of others) {
          expect(width * height).toBeLessThan(main.width * main.height)
        }
      }),
    )
  })

  it('has them at its right on a wide stage, and below it on a phone', () => {
    const wide = spotlightBoxes(2, { width: 1280, height: 700 }, GAP, true)
    expect(wide.main).toEqual({ x: 0, y: 0, width: 1012, height: 700 })
    for (const { x } of wide.others) expect(x).toBeGreaterThanOrEqual(1024)
    const phone = spotlightBoxes(2, { width: 366, height: 650 }, GAP, true)
    expect(phone.main.width).toBe(366)
    for (const { y } of phone.others) expect(y).toBeGreaterThan(phone.main.height)
  })

  it('is alone on the whole stage when there is nobody else', () => {
    const stage = { width: 800, height: 500 }
    expect(spotlightBoxes(0, stage, GAP, true)).toEqual({
      main: { x: 0, y: 0, ...stage },
      others: [],
    })
  })

  it('leaves room for a few beside it on any stage', () => {
    expect(stripCapacityOf({ width: 1280, height: 700 }, GAP)).toBeGreaterThanOrEqual(6)
    expect(stripCapacityOf({ width: 366, height: 600 }, GAP)).toBeGreaterThanOrEqual(3)
    expect(stripCapacityOf({ width: 0, height: 0 }, GAP)).toBe(1)
  })
})
