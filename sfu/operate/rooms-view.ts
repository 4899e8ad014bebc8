/**
 * What `/rooms` answers: so many rooms at most, each with lists of bounded length, or one room that
 * was asked for by name. What is left out is counted. Who is sent what is at `/debug`.
 */

/** An answer stays below some megabytes. */
export interface RoomsBounds {
  readonly maxRoomsShown: number
  /** Of each list inside a room. */
  readonly maxEntriesShown: number
  /** Of all rooms together. */
  readonly maxEntriesShownInAll: number
}

export const DEFAULT_ROOMS_BOUNDS: RoomsBounds = {
  maxRoomsShown: 100,
  maxEntriesShown: 250,
  maxEntriesShownInAll: 20_000,
}

export interface RoomsSource {
  /** Names of the rooms in which somebody is, and of those that have an MLS group. */
  readonly names: () => readonly string[]
  readonly groupNames: () => readonly string[]
  readonly room: (name: string) => unknown
  readonly group: (name: string) => unknown
}

export interface RoomsLeftOut {
  readonly rooms: number
  readonly groups: number
  readonly entries: number
}

export interface RoomsView {
  readonly rooms: readonly unknown[]
  readonly groups: readonly unknown[]
  /** Absent where everything is shown. */
  readonly leftOut?: RoomsLeftOut | undefined
  readonly hint?: string
}

/** @param asked name of the only room that is wanted, or null for all */
export function roomsView(
  source: RoomsSource,
  asked: string | null,
  bounds = DEFAULT_ROOMS_BOUNDS,
): RoomsView {
  const clip = new Clip(bounds)
  const pick = (all: readonly string[], dump: (name: string) => unknown) => {
    const wanted = asked === null ? all : all.filter((name) => name === asked)
    const shown: unknown[] = []
    for (const name of wanted.slice(0, bounds.maxRoomsShown)) {
      if (clip.isFull) break
      shown.push(clip.take(dump(name)))
    }
    return { shown, leftOut: wanted.length - shown.length }
  }
  const rooms = pick(source.names(), source.room)
  const groups = pick(source.groupNames(), source.group)
  const leftOut = { rooms: rooms.leftOut, groups: groups.leftOut, entries: clip.leftOut }
  return viewOf(rooms.shown, groups.shown, leftOut)
}

/** The bounds for each of several processes, whose views together are as long as that of one. */
export function boundsOfShare(bounds: RoomsBounds, processes: number): RoomsBounds {
  return {
    maxRoomsShown: Math.ceil(bounds.maxRoomsShown / processes),
    maxEntriesShown: bounds.maxEntriesShown,
    maxEntriesShownInAll: Math.ceil(bounds.maxEntriesShownInAll / processes),
  }
}

/** The views of several processes, each with rooms of its own, as one. */
export function mergedRoomsView(views: readonly RoomsView[]): RoomsView {
  const left = (what: keyof RoomsLeftOut) =>
    views.reduce((sum, { leftOut }) => sum + (leftOut?.[what] ?? 0), 0)
  return viewOf(
    views.flatMap(({ rooms }) => rooms),
    views.flatMap(({ groups }) => groups),
    { rooms: left('rooms'), groups: left('groups'), entries: left('entries') },
  )
}

function viewOf(
  rooms: readonly unknown[],
  groups: readonly unknown[],
  leftOut: RoomsLeftOut,
): RoomsView {
  const isWhole = Object.values(leftOut).every((count) => count === 0)
  const hint = 'ask for one room with /rooms?room=<name>'
  return { rooms, groups, ...(!isWhole && { leftOut, hint }) }
}

/** Copies plain JSON without what is beyond the bounds. */
class Clip {
  leftOut = 0
  private taken = 0
  private readonly bounds: RoomsBounds

  constructor(bounds: RoomsBounds) {
    this.bounds = bounds
  }

  get isFull(): boolean {
    return this.taken >= this.bounds.maxEntriesShownInAll
  }

  take(value: unknown): unknown {
    if (Array.isArray(value)) {
      const { maxEntriesShown, maxEntriesShownInAll } = this.bounds
      const kept = value.slice(0, Math.min(maxEntriesShown, maxEntriesShownInAll - this.taken))
      this.leftOut += value.length - kept.length
      this.taken += kept.length
      return kept.map((entry) => this.take(entry))
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.take(one)]))
  }
}
