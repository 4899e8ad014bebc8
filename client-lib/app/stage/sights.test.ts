import { expect, it } from 'vitest'
import { viewOf } from './sights.ts'

it('a tile is asked for as large as it is on the screen', () => {
  expect(viewOf({ width: 640, height: 360 }, false)).toEqual({
    width: 640,
    height: 360,
    hidden: false,
    pinned: false,
  })
})

it('a hidden page, and a tile without a size, ask for no picture', () => {
  expect(viewOf({ width: 640, height: 360 }, true).hidden).toBe(true)
  expect(viewOf({ width: 640, height: 0 }, false).hidden).toBe(true)
})

it('what the person wants large comes before others, while it can be seen', () => {
  expect(viewOf({ width: 640, height: 360 }, false, true).pinned).toBe(true)
  expect(viewOf({ width: 640, height: 360 }, true, true).pinned).toBe(false)
})
