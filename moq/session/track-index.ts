import { type FullTrackName, formatTrack } from '../wire/names.ts'

const NONE: ReadonlySet<never> = new Set()

/** What there is for a track, by its full name. */
export class TrackIndex<T extends { readonly track: FullTrackName }> {
  private readonly byName = new Map<string, Set<T>>()

  add(entry: T): void {
    const name = formatTrack(entry.track)
    const entries = this.byName.get(name)
    if (entries) entries.add(entry)
    else this.byName.set(name, new Set([entry]))
  }

  delete(entry: T): void {
    const name = formatTrack(entry.track)
    const entries = this.byName.get(name)
    if (entries?.delete(entry) && entries.size === 0) this.byName.delete(name)
  }

  find(track: FullTrackName): ReadonlySet<T> {
    return this.byName.get(formatTrack(track)) ?? NONE
  }

  clear(): void {
    this.byName.clear()
  }
}
