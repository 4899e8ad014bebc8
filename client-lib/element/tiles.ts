/** The grid of `<sotto-call>`: a tile for everybody's camera, and one for each screen that is shared. */

import type { Call, Participant, PictureSource } from '../index.ts'
import { make } from './dom.ts'
import { Tile } from './tile.ts'

export class Tiles {
  readonly element = make('ul', 'grid')
  private readonly shown = new Map<string, Tile>()

  constructor() {
    // Styled lists are none to some screen readers unless they say so.
    this.element.role = 'list'
    this.element.ariaLabel = 'Participants'
  }

  update(call: Call, participants: readonly Participant[]): void {
    const present = new Set<string>()
    for (const participant of participants) {
      for (const source of sourcesOf(participant)) {
        const key = JSON.stringify([participant.id, source])
        present.add(key)
        this.tile(key, call, participant, source).update(participant)
      }
    }
    for (const [key, tile] of this.shown) {
      if (present.has(key)) continue
      tile.remove()
      this.shown.delete(key)
    }
  }

  clear(): void {
    for (const tile of this.shown.values()) tile.remove()
    this.shown.clear()
  }

  private tile(key: string, call: Call, participant: Participant, source: PictureSource): Tile {
    const known = this.shown.get(key)
    if (known !== undefined) return known
    const tile = new Tile(call, participant, source)
    this.shown.set(key, tile)
    this.element.append(tile.element)
    return tile
  }
}

/** Nobody needs to see their own screen twice. */
function sourcesOf({ local, tracks }: Participant): PictureSource[] {
  const shares = !local && tracks.some(({ kind }) => kind === 'screen')
  return shares ? ['camera', 'screen'] : ['camera']
}
