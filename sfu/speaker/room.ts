import type { Speaker } from '../../moq/media/index.ts'
import { DEFAULT_SPEAKER, type SpeakerSettings } from './settings.ts'
import { Voice } from './voice.ts'

const NOBODY: readonly Speaker[] = []

/**
 * Who speaks in a room and who did before, from the levels of their sound. Who is in front stays there
 * until they stop, or another is clearly louder: two who talk over each other do not flicker.
 */
export class RoomSpeakers {
  /** The newest speaker first; a new array when it changed. */
  speakers: readonly Speaker[] = NOBODY
  private readonly settings: SpeakerSettings
  private readonly voices = new Map<string, Voice>()
  /** Those who have spoken, the newest first. */
  private order: Voice[] = []
  private frontSince = Number.NEGATIVE_INFINITY
  /** Who is louder than the one in front, and since when. */
  private challenger: Voice | null = null
  private challengeSince = 0

  constructor(settings: Partial<SpeakerSettings> = {}) {
    this.settings = { ...DEFAULT_SPEAKER, ...settings }
  }

  get size(): number {
    return this.voices.size
  }

  /** Where the levels of a participant go; null when the room has too many. */
  voice(participant: string): Voice | null {
    const known = this.voices.get(participant)
    if (known) return known
    if (this.voices.size >= this.settings.maxVoices) return null
    const voice = new Voice(participant, this.settings)
    this.voices.set(participant, voice)
    return voice
  }

  remove(participant: string): void {
    const voice = this.voices.get(participant)
    if (!voice) return
    this.voices.delete(participant)
    this.order = this.order.filter((other) => other !== voice)
    if (this.challenger === voice) this.challenger = null
  }

  /**
   * To be called some ten times a second.
   * @returns whether `speakers` changed
   */
  update(now: number): boolean {
    for (const voice of this.voices.values()) {
      if (voice.update(now) && voice.speaking) this.begin(voice)
    }
    this.contest(now)
    return this.publish()
  }

  /** Behind the one in front, whom `contest` may replace. */
  private begin(voice: Voice): void {
    const [front] = this.order
    const others = this.order.filter((other) => other !== voice)
    const place = front && front !== voice ? 1 : 0
    this.order = others.toSpliced(place, 0, voice).slice(0, this.settings.most)
  }

  private contest(now: number): void {
    const [front] = this.order
    const loudest = this.loudest()
    if (!front || !loudest || loudest === front) {
      this.challenger = null
      return
    }
    if (!front.speaking) {
      this.lead(loudest, now)
      return
    }
    const { overtakeDb, overtakeMs, dwellMs } = this.settings
    if (loudest.loudness < front.loudness + overtakeDb) {
      this.challenger = null
      return
    }
    if (this.challenger !== loudest) {
      this.challenger = loudest
      this.challengeSince = now
    }
    const isLongEnough = now - this.challengeSince >= overtakeMs
    if (isLongEnough && now - this.frontSince >= dwellMs) this.lead(loudest, now)
  }

  private lead(voice: Voice, now: number): void {
    this.order = [voice, ...this.order.filter((other) => other !== voice)]
    this.frontSince = now
    this.challenger = null
  }

  private loudest(): Voice | null {
    let loudest: Voice | null = null
    for (const voice of this.order) {
      if (voice.speaking && (!loudest || voice.loudness > loudest.loudness)) loudest = voice
    }
    return loudest
  }

  private publish(): boolean {
    const { order, speakers } = this
    const isSame =
      order.length === speakers.length &&
      order.every((voice, at) => {
        const told = speakers[at]!
        return told.participant === voice.participant && told.speaking === voice.speaking
      })
    if (isSame) return false
    this.speakers = order.map(({ participant, speaking }) => ({ participant, speaking }))
    return true
  }
}
