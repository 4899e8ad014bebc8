import {
  type Catalog,
  type CatalogTrack,
  decodeCatalog,
  type PictureSource,
  parseTrackName,
  participantNamespace,
  TrackName,
} from '../../../moq/media/index.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { ArrivalCounts } from '../../media/arrival-meter.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import { ANY_SIZE, type CompleteView } from '../participant-view.ts'
import type { DecryptFailures, Participant, TrackInfo, TrackKind } from '../types.ts'
import { type CallSubscription, OF_PUBLISHER } from './call-session.ts'
import { addedDecryptFailures, noDecryptFailures } from './decrypt-failures.ts'
import { Decryption } from './decryption.ts'
import { RemoteAudio } from './remote-audio.ts'
import type { RemoteTrack, RemoteTrackOptions } from './remote-track.ts'
import { RemoteVideo } from './remote-video.ts'
import type { Security } from './verification-link.ts'

type Shared = Omit<RemoteTrackOptions, 'participantId' | 'nameOf'>

export interface RemoteParticipantOptions extends Shared {
  readonly id: string
  readonly room: string
  readonly onChange: () => void
  readonly onPicture: (source: PictureSource, frame: VideoFrame) => void
  readonly onSamples: (participant: RemoteParticipant, track: TrackKind, chunk: PcmChunk) => void
  readonly onTrackEnded: (participant: RemoteParticipant, track: TrackKind) => void
}

/** Of whoever does not say what it can decode. */
const DECODED_BY_ALL = ['vp8']

/** Wait before a catalog that ended or was refused is asked for again, ms. */
const CATALOG_RETRY_MS = 1000

/** Somebody else in the call: follows the catalog and receives what it offers. */
export class RemoteParticipant {
  readonly id: string
  private readonly options: RemoteParticipantOptions
  private readonly decryption: Decryption
  /** A camera's renditions are one. */
  private readonly tracks = new Map<TrackKind, RemoteTrack>()
  private readonly views = { camera: ANY_SIZE, screen: ANY_SIZE }
  private managed = false
  private subscription: CallSubscription | null = null
  private catalog: Catalog | null = null
  private catalogGroup = -1
  /** Of tracks that are not there any more. */
  private pastFailures: DecryptFailures = noDecryptFailures()
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

  /** How the page shows a picture. */
  setView(source: PictureSource, view: CompleteView): void {
    this.views[source] = view
    const picture = this.tracks.get(source === 'screen' ? 'screen' : 'video')
    if (picture instanceof RemoteVideo) picture.setView(view)
  }

  /** Whether the relay follows our reports and so chooses among renditions. */
  setManaged(managed: boolean): void {
    this.managed = managed
    for (const picture of this.pictures()) picture.setManaged(managed)
  }

  /** Video codecs that this participant can decode; null while it is not known. */
  get decodes(): readonly string[] | null {
    if (this.catalog === null) return null
    return this.catalog.decodes ?? DECODED_BY_ALL
  }

  has(kind: TrackKind): boolean {
    return this.tracks.has(kind)
  }

  arrivals(): ArrivalCounts[] {
    return [...this.tracks.values()].flatMap((track) => track.arrivals())
  }

  info(security: Security): Participant {
    const tracks = [...this.tracks.values()].map((track) => track.info())
    return {
      id: this.id,
      name: this.catalog?.displayName ?? '',
      local: false,
      speaking: false,
      ...security,
      tracks,
      decryptFailures: tracks.reduce<DecryptFailures>(
        withFailures,
        addedDecryptFailures(this.pastFailures, this.decryption.failuresByReason),
      ),
    }
  }

  close(): void {
    this.closed = true
    this.cancelRetry()
    this.subscription?.unsubscribe()
    this.decryption.close()
    for (const kind of [...this.tracks.keys()]) this.drop(kind)
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
      OF_PUBLISHER,
    )
  }

  private onCatalog(object: MoqObject, payload: Uint8Array): void {
    if (this.closed || object.group <= this.catalogGroup) return
    // Authenticated: it is the participant's own, so a bad one is the participant's own doing.
    const catalog = tryDecode(payload)
    if (!catalog) return
    this.catalogGroup = object.group
    this.catalog = catalog
    this.update(byKind(catalog.tracks))
    this.options.onChange()
  }

  private update(entries: ReadonlyMap<TrackKind, readonly CatalogTrack[]>): void {
    for (const [kind, track] of this.tracks) {
      if (!track.update(entries.get(kind) ?? [])) this.drop(kind)
    }
    for (const [kind, ofKind] of entries) {
      if (!this.tracks.has(kind)) this.tracks.set(kind, this.make(kind, ofKind))
    }
  }

  private make(kind: TrackKind, entries: readonly CatalogTrack[]): RemoteTrack {
    const { onPicture, onSamples, ...rest } = this.options
    const options: RemoteTrackOptions = {
      ...rest,
      participantId: this.id,
      nameOf: (track) => this.trackName(track),
    }
    if (kind === 'audio' || kind === 'screen-audio') {
      return new RemoteAudio(options, entries[0]!, (chunk) => onSamples(this, kind, chunk))
    }
    const source = kind === 'screen' ? 'screen' : 'camera'
    const shown = { shown: this.views[source], managed: this.managed }
    let isFirst = true
    return new RemoteVideo(options, entries, shown, (frame) => {
      onPicture(source, frame)
      // The page shows no picture before it is told that there is one.
      if (isFirst) this.options.onChange()
      isFirst = false
    })
  }

  private drop(kind: TrackKind): void {
    const track = this.tracks.get(kind)
    if (track) this.pastFailures = withFailures(this.pastFailures, track.info())
    track?.close()
    this.tracks.delete(kind)
    this.options.onTrackEnded(this, kind)
  }

  private pictures(): RemoteVideo[] {
    return [...this.tracks.values()].filter((track) => track instanceof RemoteVideo)
  }

  private trackName(name: string) {
    return trackOf(participantNamespace(this.options.room, this.id), name)
  }
}

function withFailures(failures: DecryptFailures, track: TrackInfo): DecryptFailures {
  const { decryptFailuresByReason: further } = track
  return further ? addedDecryptFailures(failures, further) : failures
}

function tryDecode(payload: Uint8Array): Catalog | null {
  try {
    return decodeCatalog(payload)
  } catch {
    return null
  }
}

/** Tracks that this library knows how to play; others in a catalog are none of its business. */
function byKind(entries: readonly CatalogTrack[]): Map<TrackKind, CatalogTrack[]> {
  const kinds = new Map<TrackKind, CatalogTrack[]>()
  for (const entry of entries) {
    const kind = kindOf(entry)
    if (kind === null) continue
    const ofKind = kinds.get(kind)
    if (ofKind) ofKind.push(entry)
    else kinds.set(kind, [entry])
  }
  return kinds
}

function kindOf({ name, role }: CatalogTrack): TrackKind | null {
  const kind = parseTrackName(name)?.kind
  if (kind === 'video' || kind === 'screen') return role === 'video' ? kind : null
  if (kind === 'audio' || kind === 'screen-audio') return role === 'audio' ? kind : null
  return null
}
