import type { SpeakerSettings } from './settings.ts'

/** -dBov of digital silence (RFC 6464 section 3). */
const SILENCE = 127
const VOICE_BIT = 0x80
/** Frames are 10 to 60 ms: after a longer gap a level says nothing of the time before it, ms. */
const MOST_STEP_MS = 100
/** How fast the loudness of a voice follows its levels, ms. */
const LOUDNESS_MS = 300

/**
 * What is known of one participant's sound. Levels come by the object, so `heard` allocates nothing; all
 * loudness here is 0 (silence) to 127.
 */
export class Voice {
  readonly participant: string
  speaking = false
  /** Smoothed over what is voice. */
  loudness = 0
  private readonly settings: SpeakerSettings
  private noise = -1
  /** Voice that was heard of late, ms. */
  private activity = 0
  private heardAt = Number.NEGATIVE_INFINITY
  private voiceAt = Number.NEGATIVE_INFINITY

  constructor(participant: string, settings: SpeakerSettings) {
    this.participant = participant
    this.settings = settings
  }

  /**
   * @param level the byte of RFC 6464: voice bit, then -dBov
   * @param now ms
   */
  heard(level: number, now: number): void {
    const gap = now - this.heardAt
    const elapsed = gap > 0 && gap <= MOST_STEP_MS ? gap : 0
    this.heardAt = now
    const loudness = SILENCE - (level & SILENCE)
    this.learnNoise(loudness, elapsed)
    if ((level & VOICE_BIT) === 0 || !this.standsOut(loudness)) {
      // Half as fast as it grew: the gaps between syllables do not undo it, those between coughs do.
      this.activity = Math.max(0, this.activity - elapsed / 2)
      return
    }
    this.voiceAt = now
    this.activity = Math.min(this.settings.attackMs, this.activity + elapsed)
    const weight = this.loudness === 0 ? 1 : Math.min(1, elapsed / LOUDNESS_MS)
    this.loudness += (loudness - this.loudness) * weight
  }

  /** Nothing more is heard until the next level, e.g. on mute. */
  silence(): void {
    this.activity = 0
    this.voiceAt = Number.NEGATIVE_INFINITY
  }

  /** Whether they begin or stop to speak now. */
  update(now: number): boolean {
    if (now - this.heardAt > this.settings.staleMs) this.silence()
    const before = this.speaking
    if (before) this.speaking = now - this.voiceAt <= this.settings.holdMs
    else this.speaking = this.activity >= this.settings.attackMs
    if (before && !this.speaking) {
      this.activity = 0
      this.loudness = 0
    }
    return before !== this.speaking
  }

  private standsOut(loudness: number): boolean {
    const { quietest, overNoiseDb } = this.settings
    return loudness >= SILENCE - quietest && loudness >= this.noise + overNoiseDb
  }

  /** Speech has pauses, in which the noise shows; what has none is noise. */
  private learnNoise(loudness: number, elapsed: number): void {
    const { quietest, noiseRise } = this.settings
    const heard = Math.max(loudness, SILENCE - quietest)
    if (this.noise < 0 || heard < this.noise) this.noise = heard
    else this.noise = Math.min(heard, this.noise + (noiseRise * elapsed) / 1000)
  }
}
