/** Loudness of audio: RMS as 0..1 for meters, and -dBov for RFC 6464, over what was measured since. */

/** Levels up to this are taken for voice: -50 dBov lies between a quiet room and quiet speech. */
const VOICE_DBOV = 50
const SILENCE_DBOV = 127

export interface Level {
  /** RMS of full scale, 0..1. */
  readonly rms: number
  /** -dBov: 0 loudest .. 127 silence. */
  readonly dbov: number
  readonly voice: boolean
}

export class LevelMeter {
  private energy = 0
  private count = 0

  /** @param samples -1..1 */
  measure(samples: Float32Array): void {
    let energy = 0
    for (let i = 0; i < samples.length; i++) energy += samples[i]! * samples[i]!
    this.energy += energy
    this.count += samples.length
  }

  /** The level since the last `take`; silence when nothing was measured. */
  take(): Level {
    const rms = this.count === 0 ? 0 : Math.min(1, Math.sqrt(this.energy / this.count))
    this.energy = 0
    this.count = 0
    const dbov =
      rms === 0
        ? SILENCE_DBOV
        : Math.min(SILENCE_DBOV, Math.max(0, Math.round(-20 * Math.log10(rms))))
    return { rms, dbov, voice: dbov <= VOICE_DBOV }
  }
}
