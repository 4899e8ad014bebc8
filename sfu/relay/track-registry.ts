import { type FullTrackName, formatTrack, type Namespace } from '../../moq/wire/names.ts'
import type { NamespaceRegistry } from './namespaces.ts'
import type { Peer } from './peer.ts'
import { headOf, SortedNames } from './sorted-names.ts'
import { RelayTrack } from './track.ts'
import type { TrackOptions } from './track-host.ts'

/** The relay's tracks by full name (draft-18 section 9.5), and who publishes them. */
export class TrackRegistry {
  private readonly tracks = new Map<string, RelayTrack>()
  private readonly sorted = new SortedNames<RelayTrack>()
  private readonly namespaces: NamespaceRegistry<Peer>
  private readonly options: Omit<TrackOptions<RelayTrack>, 'name' | 'alias'>
  private nextAlias = 1

  constructor(
    namespaces: NamespaceRegistry<Peer>,
    options: Omit<TrackOptions<RelayTrack>, 'name' | 'alias'>,
  ) {
    this.namespaces = namespaces
    this.options = options
  }

  get size(): number {
    return this.tracks.size
  }

  get(name: FullTrackName): RelayTrack | null {
    return this.tracks.get(formatTrack(name)) ?? null
  }

  getOrCreate(name: FullTrackName): RelayTrack {
    const key = formatTrack(name)
    const known = this.tracks.get(key)
    if (known) return known
    const track = new RelayTrack({ ...this.options, name, alias: this.nextAlias++ })
    this.tracks.set(key, track)
    this.sorted.add(key, track)
    return track
  }

  delete(track: RelayTrack): void {
    const key = formatTrack(track.name)
    if (this.tracks.get(key) !== track) return
    this.tracks.delete(key)
    this.sorted.delete(key)
  }

  /** A copy. */
  list(): RelayTrack[] {
    return [...this.tracks.values()]
  }

  /** A copy, of those under a namespace prefix. */
  under(prefix: Namespace): RelayTrack[] {
    return this.sorted.list(headOf(prefix))
  }

  /** The first track under a prefix, or the first behind the one of that name. */
  next(prefix: Namespace, after: string | null): { name: string; value: RelayTrack } | null {
    return this.sorted.next(headOf(prefix), after)
  }

  /**
   * Whom to ask for a track, the best first: its publishers, then those of its namespace, and of each the
   * newest first. An older one may be a session that is dead and not found out yet.
   */
  publishersOf(name: FullTrackName): Peer[] {
    const found = new Set(this.get(name)?.publishing.reverse())
    for (const peer of this.namespaces.publishersOf(name.namespace)) found.add(peer)
    return [...found].filter((peer) => {
      const { session } = peer
      return !session.closed && !session.goawayReceived && peer.mayPublish(name)
    })
  }
}
