/** How tiles fill a stage: the arrangement that shows the largest pictures. */

export interface Grid {
  readonly columns: number
  readonly rows: number
  /** CSS pixels. */
  readonly tileWidth: number
  readonly tileHeight: number
}

const WIDEST = 16 / 9
/** Narrower than that, a picture that fills its tile would lose too much at its sides. */
const NARROWEST = { landscape: 4 / 3, portrait: 3 / 4 }

/**
 * @param count of tiles
 * @param width of the stage, as `height` and `gap` in CSS pixels
 */
export function layOut(count: number, width: number, height: number, gap: number): Grid {
  const narrowest = width < height ? NARROWEST.portrait : NARROWEST.landscape
  let best: Grid = { columns: 1, rows: Math.max(1, count), tileWidth: 0, tileHeight: 0 }
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns)
    const cellWidth = Math.max(0, (width - gap * (columns - 1)) / columns)
    const cellHeight = Math.max(0, (height - gap * (rows - 1)) / rows)
    const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * WIDEST))
    const tileHeight = Math.floor(Math.min(cellHeight, cellWidth / narrowest))
    if (tileWidth * tileHeight > best.tileWidth * best.tileHeight) {
      best = { columns, rows, tileWidth, tileHeight }
    }
  }
  return best
}
