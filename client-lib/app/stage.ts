/** The tiles of a call, as many as there are participants, as large as they can be. */

import type { Call, Participant } from '../index.ts'
import { find } from './dom.ts'
import { layOut } from './grid.ts'
import { Sights } from './sights.ts'
import { Tile } from './tile.ts'

export class Stage {
  readonly #root = find('#stage', HTMLElement)
  readonly #tiles = new Map<string, Tile>()
  #sights: Sights | null = null

  constructor() {
    new ResizeObserver(() => this.#arrange()).observe(this.#root)
  }

  update(call: Call, participants: readonly Participant[]): void {
    this.#sights ??= new Sights((id, view) => call.setView(id, view))
    const present = new Set(participants.map(({ id }) => id))
    const before = [...this.#tiles.keys()].join()
    for (const [id, tile] of this.#tiles) {
      if (present.has(id)) continue
      this.#sights?.unwatch(tile.element)
      tile.remove()
      this.#tiles.delete(id)
    }
    for (const participant of participants) {
      let tile = this.#tiles.get(participant.id)
      if (tile === undefined) {
        tile = new Tile(call, participant.id)
        this.#tiles.set(participant.id, tile)
        this.#root.append(tile.element)
        if (!participant.local) this.#sights.watch(participant.id, tile.element)
      }
      tile.update(participant)
    }
    if ([...this.#tiles.keys()].join() !== before) this.#arrange()
  }

  clear(): void {
    this.#sights?.close()
    this.#sights = null
    for (const tile of this.#tiles.values()) tile.remove()
    this.#tiles.clear()
  }

  #arrange(): void {
    const { clientWidth, clientHeight, style } = this.#root
    const gap = Number.parseFloat(getComputedStyle(this.#root).gap) || 0
    const grid = layOut(this.#tiles.size, clientWidth, clientHeight, gap)
    style.setProperty('--tile-width', `${grid.tileWidth}px`)
    style.setProperty('--tile-height', `${grid.tileHeight}px`)
  }
}
