/** The tiles of a call: as many as there are pictures, side by side or one large before the others. */

import type { Call, Snapshot } from '../../index.ts'
import { find } from '../dom.ts'
import {
  type Area,
  type Box,
  capacityOf,
  gridBoxes,
  spotlightBoxes,
  stripCapacityOf,
} from './boxes.ts'
import { keyOf, type Picture, picturesOf } from './pictures.ts'
import { Seating } from './seating.ts'
import { Sights } from './sights.ts'
import { SpeakerChoice } from './speaker-choice.ts'
import { placeAt, Tile } from './tile.ts'

export type Layout = 'grid' | 'speaker'

export class Stage {
  readonly #root = find('#stage', HTMLElement)
  readonly #unseen = find('#unseen', HTMLButtonElement)
  readonly #tiles = new Map<string, Tile>()
  readonly #onPin: () => void
  #sights: Sights | null = null
  #seating = new Seating()
  #speaker = new SpeakerChoice()
  #layout: Layout = 'grid'
  /** Key of the picture that the person wants large. */
  #pinned: string | null = null
  /** Measured once a size: to measure makes the browser lay out the page at once. */
  #room: { readonly area: Area; readonly gap: number } | null = null
  /** What was placed, so that nothing is touched while nothing changes. */
  #placed = ''

  /** @param onPin the person pinned or let go of a tile */
  constructor(onPin: () => void) {
    this.#onPin = onPin
    new ResizeObserver(() => {
      this.#room = null
    }).observe(this.#root)
  }

  get layout(): Layout {
    return this.#layout
  }

  set layout(layout: Layout) {
    this.#layout = layout
    if (layout === 'grid') this.#pinned = null
  }

  /** Key of the picture that the person wants large; null: none. */
  get pinned(): string | null {
    return this.#pinned
  }

  /** Wants this one large, or not any more. */
  togglePin(key: string): void {
    this.#pinned = this.#pinned === key ? null : key
    this.#onPin()
  }

  update(call: Call, { participants }: Snapshot): void {
    this.#sights ??= new Sights(({ id, source }, view) => call.setView(id, view, source))
    const pictures = picturesOf(participants)
    const keys = new Set(pictures.map(keyOf))
    for (const [key, tile] of this.#tiles) if (!keys.has(key)) this.#remove(key, tile)
    for (const picture of pictures) {
      const tile = this.#tiles.get(keyOf(picture)) ?? this.#add(call, picture)
      tile.update(picture, this.#pinned === keyOf(picture))
    }
    this.#place(pictures, call.activeSpeakers)
  }

  clear(): void {
    this.#sights?.close()
    this.#sights = null
    for (const tile of this.#tiles.values()) tile.remove()
    this.#tiles.clear()
    this.#seating = new Seating()
    this.#speaker = new SpeakerChoice()
    this.#pinned = null
    this.#placed = ''
    this.#unseen.hidden = true
  }

  #add(call: Call, picture: Picture): Tile {
    const key = keyOf(picture)
    const { source } = picture
    const { id, local } = picture.participant
    const tile = new Tile(call, { id, source }, () => this.togglePin(key))
    this.#tiles.set(key, tile)
    this.#root.append(tile.element)
    if (!local) this.#sights?.watch({ id, source }, tile.element)
    return tile
  }

  #remove(key: string, tile: Tile): void {
    this.#sights?.unwatch(tile.element)
    tile.remove()
    this.#tiles.delete(key)
    if (this.#pinned === key) this.togglePin(key)
  }

  #place(pictures: readonly Picture[], recent: readonly string[]): void {
    this.#room ??= roomOf(this.#root)
    const { area, gap } = this.#room
    const main = this.#mainOf(pictures, recent)
    const others = pictures.filter((picture) => keyOf(picture) !== main)
    const speaking = new Set(pictures.filter(({ participant }) => participant.speaking).map(keyOf))
    const seats = main === null ? capacityOf(area, gap) : stripCapacityOf(area, gap)
    // Where not all fit, the last seat says how many more there are.
    const isFull = others.length > seats
    const shown = this.#seating.seat(
      pictures.map(keyOf),
      isFull ? Math.max(1, seats - 1) : seats,
      recent.map((id) => keyOf({ source: 'camera', participant: { id } })),
      speaking,
      new Set(others.filter(({ participant }) => participant.local).map(keyOf)),
      main,
    )
    const count = shown.length + (isFull ? 1 : 0)
    const placed = JSON.stringify([area, gap, main, shown, pictures.length])
    if (placed === this.#placed) return
    this.#placed = placed
    const boxes = new Map<string, Box>()
    if (main === null) {
      const grid = gridBoxes(count, area, gap)
      for (const [at, key] of shown.entries()) boxes.set(key, grid[at]!)
      if (isFull) placeAt(this.#unseen, grid.at(-1)!)
    } else {
      const isScreen = main.startsWith('screen')
      const spotlight = spotlightBoxes(count, area, gap, isScreen)
      boxes.set(main, spotlight.main)
      if (isFull) placeAt(this.#unseen, spotlight.others.at(-1)!)
      for (const [at, key] of shown.entries()) boxes.set(key, spotlight.others[at]!)
    }
    for (const [key, tile] of this.#tiles) {
      tile.place(boxes.get(key) ?? null)
      this.#sights?.pin(tile.element, key === main)
    }
    const unseen = pictures.length - boxes.size
    this.#unseen.hidden = unseen === 0
    this.#unseen.textContent = `${unseen} more`
  }

  /** Key of the large one; null: all alike. A screen that is shared is large unless another is pinned. */
  #mainOf(pictures: readonly Picture[], recent: readonly string[]): string | null {
    const people = pictures
      .filter(({ source }) => source === 'camera')
      .map(({ participant }) => participant)
    const speaker = this.#speaker.follow(people, recent, performance.now())
    if (this.#pinned !== null) return this.#pinned
    const screen = pictures.findLast(({ source }) => source === 'screen')
    if (screen) return keyOf(screen)
    if (this.#layout === 'grid' || speaker === null) return null
    return keyOf({ source: 'camera', participant: { id: speaker } })
  }
}

function roomOf(stage: HTMLElement): { readonly area: Area; readonly gap: number } {
  const { clientWidth: width, clientHeight: height } = stage
  return { area: { width, height }, gap: Number.parseFloat(getComputedStyle(stage).gap) || 0 }
}
