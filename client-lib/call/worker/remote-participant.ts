import {
  type Catalog,
  type CatalogTrack,
  decodeCatalog,
  parseTrackName,
  participantNamespace,
  TrackName,
} from '../../../moq/media/index.ts'
import type { Clock, Session, Subscription } from '../../../moq/session/index.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import type { Participant } from '../types.ts'
import { Decryption } from './decryption.ts'
import type { MediaKeys } from './media-keys.ts'
import { RemoteTrack } from './remote-track.ts'
import type { Security } from './verification-link.ts'

export interface RemoteParticipantOptions {
  readonly id: string
  readonly room: string
  readonly session: Session
  readonly keys: MediaKeys
  readonly clock: Clock
  readonly onChange: () => void
  readonly onError: (error: MediaError) => void
  readonly onPicture: (participant: RemoteParticipant, frame: VideoFrame) => void
  readonly onSamples: (participant: RemoteParticipant, track: string, chunk: PcmChunk) => void
  readonly onTrackEnded: (participant: RemoteParticipant, track: string) => void
}

/** Wait before a catalog that ended or was refused is asked for again, ms. */
const CATALOG_RETRY_MS = 1000

/** Somebody else in the call: follows the catalog and receives what it offers. */
export class RemoteParticipant {
  readonly id: string
  private readonly options: RemoteParticipantOptions
  private readonly decryption: Decryption
  private readonly tracks = new Map<string, RemoteTrack>()
  private subscription: Subscription | null = null
  private catalog: Catalog | null = null
  private catalogGroup = -1
  private cancelRetry: () => void = () => {}
  private closed = false

  constructor(options: RemoteParticipantOptions) {
    this.id = options.id
    this.options = options
    const name = this.trackName(TrackName.CATALOG)
    this.decryption = new Decryption({
      participantId: options.id,
      track: name,
      keys: options.keys,
      clock: options.clock,
      onPlaintext: (object, _immutable, payload) => this.onCatalog(object, payload),
    })
    this.follow()
  }

  keysChanged(): void {
    this.decryption.retry()
    for (const track of this.tracks.values()) track.keysChanged()
  }

  poll(): void {
    for (const track of this.tracks.values()) track.poll()
  }

  info(security: Security): Participant {
    return {
      id: this.id,
      name: this.catalog?.displayName ?? '',
      local: false,
      ...security,
      tracks: [...this.tracks.values()].map((track) => track.info()),
    }
  }

  close(): void {
    this.closed = true
    this.cancelRetry()
    this.subscription?.unsubscribe()
    this.decryption.close()
    for (const name of [...this.tracks.keys()]) this.drop(name)
  }

  /** The newest catalog and every later one; each subscriber has one made for it. */
  private follow(): void {
    if (this.closed || this.options.session.closed) return
    const again = () => {
      this.cancelRetry = this.options.clock.after(CATALOG_RETRY_MS, () => this.follow())
    }
    this.subscription = this.options.session.subscribe(
      this.trackName(TrackName.CATALOG),
      { filter: { kind: 'next-group-start' }, newGroupRequest: 0, subscriberPriority: 0 },
      { onObject: (object) => this.decryption.push(object), onRejected: again, onDone: again },
    )
  }

  private onCatalog(object: MoqObject, payload: Uint8Array): void {
    if (this.closed || object.group <= this.catalogGroup) return
    // Authenticated: it is the participant's own, so a bad one is the participant's own doing.
    const catalog = tryDecode(payload)
    if (!catalog) return
    this.catalogGroup = object.group
    this.catalog = catalog
    this.update(catalog.tracks.filter(isPlayable))
    this.options.onChange()
  }

  private update(entries: readonly CatalogTrack[]): void {
    for (const [name, track] of this.tracks) {
      const entry = entries.find((candidate) => candidate.name === name)
      const same = entry?.codec === track.entry.codec
      if (!entry || !same || track.ended) this.drop(name)
      else track.entry = entry
    }
    for (const entry of entries) if (!this.tracks.has(entry.name)) this.add(entry)
  }

  private add(entry: CatalogTrack): void {
    const { session, keys, clock, onError, onPicture, onSamples } = this.options
    const track = new RemoteTrack({
      session,
      participantId: this.id,
      name: this.trackName(entry.name),
      entry,
      keys,
      clock,
      onError,
      onPicture: (frame) => onPicture(this, frame),
      onSamples: (chunk) => onSamples(this, entry.name, chunk),
    })
    this.tracks.set(entry.name, track)
  }

  private drop(name: string): void {
    this.tracks.get(name)?.close()
    this.tracks.delete(name)
    this.options.onTrackEnded(this, name)
  }

  private trackName(name: string) {
    return trackOf(participantNamespace(this.options.room, this.id), name)
  }
}

function tryDecode(payload: Uint8Array): Catalog | null {
  try {
    return decodeCatalog(payload)
  } catch {
    return null
  }
}

/** Tracks that this library knows how to play; others in a catalog are none of its business. */
function isPlayable(entry: CatalogTrack): boolean {
  const kind = parseTrackName(entry.name)?.kind
  const media = kind === 'audio' || kind === 'video' || kind === 'screen' || kind === 'screen-audio'
  return media && (entry.role === 'audio' || entry.role === 'video')
}
