/** Where each tile stands on the stage: side by side, or one large and the others beside it. */

import { type Grid, layOut } from './grid.ts'

/** CSS pixels from the stage's upper left corner. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Area {
  readonly width: number
  readonly height: number
}

/** Below this a face is not to be recognized. */
const LEAST = { width: 84, height: 63 } as const
const MOST_TILES = 49
/** The side strip's share of the stage, and its bounds, px. */
const STRIP = { share: 0.2, least: 110, most: 260 } as const

/** All alike, in rows from the upper left; the last row stands in the middle. */
export function gridBoxes(count: number, area: Area, gap: number): Box[] {
  const grid = layOut(count, area.width, area.height, gap)
  const { columns, rows, tileWidth: width, tileHeight: height } = grid
  const top = (area.height - rows * height - (rows - 1) * gap) / 2
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / columns)
    const inRow = Math.min(columns, count - row * columns)
    const left = (area.width - inRow * width - (inRow - 1) * gap) / 2
    const x = Math.round(left + (at - row * columns) * (width + gap))
    return { x, y: Math.round(top + row * (height + gap)), width, height }
  })
}

/**
 * One large, the others in a strip: at its right where the stage is wide, else below.
 * @param count of the others
 * @param whole the large one takes all that there is, whatever its shape: a screen
 */
export function spotlightBoxes(
  count: number,
  area: Area,
  gap: number,
  whole: boolean,
): { readonly main: Box; readonly others: readonly Box[] } {
  const { main, strip } = divided(count, area, gap)
  const [fitting] = gridBoxes(1, main, gap)
  const { x, y } = strip
  const others = gridBoxes(count, strip, gap).map((box) => ({ ...box, x: box.x + x, y: box.y + y }))
  return { main: whole ? { x: 0, y: 0, ...main } : fitting!, others }
}

/** How many tiles can be told apart on the stage; at least two. */
export function capacityOf(area: Area, gap: number): number {
  return Math.max(
    2,
    most((count) => layOut(count, area.width, area.height, gap)),
  )
}

/** How many beside a large one; at least one. */
export function stripCapacityOf(area: Area, gap: number): number {
  const { strip } = divided(1, area, gap)
  return Math.max(
    1,
    most((count) => layOut(count, strip.width, strip.height, gap)),
  )
}

function divided(count: number, { width, height }: Area, gap: number): { main: Area; strip: Box } {
  if (count === 0) return { main: { width, height }, strip: { x: 0, y: 0, width: 0, height: 0 } }
  const isWide = width >= height
  const side = Math.round(clamp((isWide ? width : height) * STRIP.share))
  if (isWide) {
    const left = Math.max(0, width - side)
    return {
      main: { width: Math.max(0, left - gap), height },
      strip: { x: left, y: 0, width: width - left, height },
    }
  }
  const top = Math.max(0, height - side)
  return {
    main: { width, height: Math.max(0, top - gap) },
    strip: { x: 0, y: top, width, height: height - top },
  }
}

function clamp(size: number): number {
  return Math.min(STRIP.most, Math.max(STRIP.least, size))
}

function most(gridOf: (count: number) => Grid): number {
  let count = MOST_TILES
  while (count > 0) {
    const { tileWidth, tileHeight } = gridOf(count)
    if (tileWidth >= LEAST.width && tileHeight >= LEAST.height) break
    count--
  }
  return count
}
