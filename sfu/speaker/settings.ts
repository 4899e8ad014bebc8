/** When somebody counts as speaking, and when as the one who speaks. */
export interface SpeakerSettings {
  /** Voice that is needed to begin, ms: longer than a cough. */
  readonly attackMs: number
  /** Silence that ends it, ms: longer than the pauses of a sentence. */
  readonly holdMs: number
  /** The one in front stays there at least as long, unless they stop, ms. */
  readonly dwellMs: number
  /** Who speaks too comes to the front when they are this much louder, dB, for that long, ms. */
  readonly overtakeDb: number
  readonly overtakeMs: number
  /** No voice is quieter than this, -dBov. */
  readonly quietest: number
  /** How much a voice stands out of the noise of its own room, dB. */
  readonly overNoiseDb: number
  /** How fast the noise is taken to grow while nothing is quieter, dB a second. */
  readonly noiseRise: number
  /** Without a level for so long, ms, a participant is silent: muted, or gone. */
  readonly staleMs: number
  /** Recent speakers that are kept, 1..64. */
  readonly most: number
  /** Participants of a room that are listened to. */
  readonly maxVoices: number
}

export const DEFAULT_SPEAKER: SpeakerSettings = {
  attackMs: 300,
  holdMs: 900,
  dwellMs: 1500,
  overtakeDb: 3,
  overtakeMs: 400,
  quietest: 60,
  overNoiseDb: 9,
  noiseRise: 8,
  staleMs: 500,
  most: 16,
  maxVoices: 2000,
}
