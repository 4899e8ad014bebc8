import { MAX_WISHES, type PictureSource, type Wish } from '../../../moq/media/index.ts'
import type { ArrivalCounts } from '../../media/arrival-meter.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import { ANY_SIZE, type CompleteView, wishOf } from '../participant-view.ts'
import type { Participant } from '../types.ts'
import { soundSource } from '../worker-protocol.ts'
import type { ChatLink } from './chat-link.ts'
import { RemoteParticipant, type RemoteParticipantOptions } from './remote-participant.ts'
import type { Security } from './verification-link.ts'
import type { VerifiedGroup } from './verified-group.ts'

type Shared = 'room' | 'session' | 'keys' | 'clock' | 'rttMs' | 'steps' | 'onChange' | 'onError'

export interface RemoteParticipantsOptions extends Pick<RemoteParticipantOptions, Shared> {
  readonly group: VerifiedGroup
  readonly chat: ChatLink
  readonly onPicture: (participantId: string, source: PictureSource, frame: VideoFrame) => void
  /** @param source names a track of sound among all of the call's */
  readonly onSamples: (source: string, chunk: PcmChunk) => void
  readonly onSoundEnded: (source: string) => void
  /** Something of one participant's failed, and stopped nobody else's; may be told often. */
  readonly onFault: (participantId: string, error: unknown) => void
}

const PICTURES: readonly PictureSource[] = ['camera', 'screen']

/** Everybody else in the call. */
export class RemoteParticipants {
  private readonly options: RemoteParticipantsOptions
  private readonly received = new Map<string, RemoteParticipant>()
  /** Media objects that came of each participant, as of the last report. */
  private readonly heard = new Map<string, number>()
  /** What the page said of how it shows somebody, who may come later. */
  private readonly views = new Map<string, Partial<Record<PictureSource, CompleteView>>>()
  private managed = false
  private hasKeys = false

  constructor(options: RemoteParticipantsOptions) {
    this.options = options
  }

  /**
   * A catalog is subscribed to at once, also before there are keys: so its owner learns that somebody
   * comes, and the first edition that we can decrypt is on its way as soon as there is one.
   */
  setPresent(id: string, present: boolean): void {
    if (present) this.add(id)
    else this.remove(id)
  }

  /** Receive keys of a new epoch are there. */
  keysChanged(): void {
    this.hasKeys = true
    this.each((remote) => remote.keysChanged())
  }

  /** How the page shows a picture of somebody's. */
  setView(id: string, source: PictureSource, view: CompleteView): void {
    if (this.views.size >= MAX_WISHES && !this.views.has(id)) return
    this.views.set(id, { ...this.views.get(id), [source]: view })
    const remote = this.received.get(id)
    if (remote) this.guard(remote, () => remote.setView(source, view))
  }

  /** Whether the relay follows our reports and so chooses among renditions. */
  setManaged(managed: boolean): void {
    this.managed = managed
    this.each((remote) => remote.setManaged(managed))
  }

  /** What the relay is to know of the pictures that we show. */
  wishes(): Wish[] {
    const wishes: Wish[] = []
    const add = (id: string, source: PictureSource) => {
      if (wishes.length < MAX_WISHES) wishes.push(wishOf(id, source, this.viewOf(id, source)))
    }
    for (const id of this.received.keys()) add(id, 'camera')
    for (const [id, remote] of this.received) if (remote.has('screen')) add(id, 'screen')
    return wishes
  }

  /** Video codecs that each of those can decode of whom it is known. */
  decodes(): (readonly string[])[] {
    return [...this.received.values()].flatMap(({ decodes }) => (decodes ? [decodes] : []))
  }

  arrivals(): ArrivalCounts[] {
    return [...this.received.values()].flatMap((remote) => {
      return this.guard(remote, () => remote.arrivals()) ?? []
    })
  }

  /** Plays what is due; to be called every few ms. */
  poll(): void {
    for (const remote of this.received.values()) {
      try {
        remote.poll()
      } catch (error) {
        this.options.onFault(remote.id, error)
      }
    }
  }

  /**
   * As of now; whose media came since the last time counts as heard of. Nobody before there are keys:
   * nothing is known of them, not even a name.
   */
  infos(): Participant[] {
    if (!this.hasKeys) return []
    const { group } = this.options
    return [...this.received.values()].map((remote) => {
      const security = group.securityOf(remote.id)
      const info = this.guard(remote, () => remote.info(security)) ?? nothingOf(remote.id, security)
      const objects = info.tracks.reduce((sum, track) => sum + track.objects, 0)
      if (objects !== this.heard.get(info.id)) group.noteTraffic(info.id)
      this.heard.set(info.id, objects)
      return info
    })
  }

  close(): void {
    for (const id of [...this.received.keys()]) this.remove(id)
  }

  private add(id: string): void {
    if (this.received.has(id)) return
    const { options } = this
    const remote = new RemoteParticipant({
      ...options,
      id,
      onPicture: (source, frame) => options.onPicture(id, source, frame),
      onSamples: (_, track, chunk) => options.onSamples(soundSource(id, track), chunk),
      onTrackEnded: (_, track) => options.onSoundEnded(soundSource(id, track)),
    })
    for (const source of PICTURES) remote.setView(source, this.viewOf(id, source))
    remote.setManaged(this.managed)
    this.received.set(id, remote)
    options.chat.setPresent(id, true)
    options.onChange()
  }

  private remove(id: string): void {
    const remote = this.received.get(id)
    if (remote) this.guard(remote, () => remote.close())
    this.options.chat.setPresent(id, false)
    this.heard.delete(id)
    this.views.delete(id)
    if (this.received.delete(id)) this.options.onChange()
  }

  private each(work: (remote: RemoteParticipant) => void): void {
    for (const remote of this.received.values()) this.guard(remote, () => work(remote))
  }

  /** @returns undefined where it failed */
  private guard<T>(remote: RemoteParticipant, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.options.onFault(remote.id, error)
      return undefined
    }
  }

  private viewOf(id: string, source: PictureSource): CompleteView {
    return this.views.get(id)?.[source] ?? ANY_SIZE
  }
}

/** Of somebody of whom nothing can be told now. */
function nothingOf(id: string, security: Security): Participant {
  return { id, name: '', local: false, speaking: false, tracks: [], ...security }
}
