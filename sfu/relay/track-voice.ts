import {
  ABSENT,
  parseParticipantNamespace,
  parseTrackName,
  readAudioLevel,
} from '../../moq/media/index.ts'
import { type FullTrackName, textOf } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { Speakers, Voice } from '../speaker/index.ts'
import type { Upstream } from './upstream.ts'

/** After so much silence of the publisher that is listened to, another one is, ms. */
const SILENT_MS = 500

/**
 * The sound of a participant, followed to know who speaks: the level that each object states, of one
 * publisher at a time. Nothing is allocated for an object.
 */
export class TrackVoice {
  private readonly speakers: Speakers
  private readonly room: string
  private readonly participant: string
  private readonly onFull: () => void
  private publisher: Upstream | null = null
  private heardAt = 0
  /** Null while nothing was heard, or the room has too many. */
  private voice: Voice | null = null
  private refused = false

  private constructor(speakers: Speakers, room: string, participant: string, onFull: () => void) {
    this.speakers = speakers
    this.room = room
    this.participant = participant
    this.onFull = onFull
  }

  /**
   * @param onFull the room has too many voices for this one
   * @returns null for a track that is not the microphone of a participant
   */
  static of(name: FullTrackName, speakers: Speakers, onFull: () => void): TrackVoice | null {
    if (parseTrackName(textOf(name.name) ?? '')?.kind !== 'audio') return null
    const place = parseParticipantNamespace(name.namespace)
    return place && new TrackVoice(speakers, place.room, place.participant, onFull)
  }

  /** @param now ms */
  heard(publisher: Upstream, object: MoqObject, now: number): void {
    const { propertiesStart, propertiesSize } = object
    const end = propertiesStart + propertiesSize
    const level = propertiesSize > 0 ? readAudioLevel(object.body, propertiesStart, end) : ABSENT
    if (level === ABSENT) return
    if (publisher !== this.publisher) {
      if (this.publisher !== null && now - this.heardAt < SILENT_MS) return
      this.publisher = publisher
    }
    this.heardAt = now
    this.voice ??= this.speakers.voice(this.room, this.participant)
    if (this.voice) this.voice.heard(level, now)
    else this.refuse()
  }

  /** @param others the track has other publishers */
  left(publisher: Upstream, others: boolean): void {
    if (publisher === this.publisher) this.publisher = null
    if (!others) this.end()
  }

  private refuse(): void {
    if (!this.refused) this.onFull()
    this.refused = true
  }

  /** Nothing is heard of it any more. Idempotent. */
  end(): void {
    this.publisher = null
    if (this.voice) this.speakers.remove(this.room, this.participant)
    this.voice = null
  }
}
