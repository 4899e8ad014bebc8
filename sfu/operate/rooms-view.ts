/**
 * What `/rooms` answers: so many rooms at most, each with lists of bounded length, or one room that
 * was asked for by name. What is left out is counted. Who is sent what is at `/debug`.
 */

/** Rooms in one answer. */
export const MOST_ROOMS = 100
/** Entries of each list inside a room. */
export const MOST_ENTRIES = 250
/** Entries of all rooms together: the answer stays below some megabytes. */
export const MOST_IN_ALL = 20_000

export interface RoomsSource {
  /** Names of the rooms in which somebody is, and of those that have an MLS group. */
  readonly names: () => readonly string[]
  readonly groupNames: () => readonly string[]
  readonly room: (name: string) => unknown
  readonly group: (name: string) => unknown
}

/** @param asked name of the only room that is wanted, or null for all */
export function roomsView(source: RoomsSource, asked: string | null) {
  const clip = new Clip()
  const pick = (all: readonly string[], dump: (name: string) => unknown) => {
    const wanted = asked === null ? all : all.filter((name) => name === asked)
    const shown: unknown[] = []
    for (const name of wanted.slice(0, MOST_ROOMS)) {
      if (clip.isFull) break
      shown.push(clip.take(dump(name)))
    }
    return { shown, leftOut: wanted.length - shown.length }
  }
  const rooms = pick(source.names(), source.room)
  const groups = pick(source.groupNames(), source.group)
  const leftOut = { rooms: rooms.leftOut, groups: groups.leftOut, entries: clip.leftOut }
  const isWhole = Object.values(leftOut).every((count) => count === 0)
  return {
    rooms: rooms.shown,
    groups: groups.shown,
    ...(!isWhole && { leftOut, hint: 'ask for one room with /rooms?room=<name>' }),
  }
}

/** Copies plain JSON without what is beyond the bounds. */
class Clip {
  leftOut = 0
  private taken = 0

  get isFull(): boolean {
    return this.taken >= MOST_IN_ALL
  }

  take(value: unknown): unknown {
    if (Array.isArray(value)) {
      const kept = value.slice(0, this.isFull ? 0 : MOST_ENTRIES)
      this.leftOut += value.length - kept.length
      this.taken += kept.length
      return kept.map((entry) => this.take(entry))
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.take(one)]))
  }
}
