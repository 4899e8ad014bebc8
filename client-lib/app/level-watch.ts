/** How loud a microphone is, for a bar that moves: ten times a second, on a scale like that of ears. */

const EVERY_MS = 100
/** What counts as silence, dB below full scale. */
const FLOOR_DB = -60

/** @param rms 0..1. @returns 0..1, even steps of which sound alike */
export function loudness(rms: number): number {
  if (rms <= 0) return 0
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / FLOOR_DB))
}

export class LevelWatch {
  readonly #context = new AudioContext()
  readonly #timer: number

  /** @param onLevel told of the loudness, 0..1 */
  constructor(stream: MediaStream, onLevel: (level: number) => void) {
    const analyser = this.#context.createAnalyser()
    this.#context.createMediaStreamSource(stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    this.#timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      let energy = 0
      for (const sample of samples) energy += sample * sample
      onLevel(loudness(Math.sqrt(energy / samples.length)))
    }, EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    void this.#context.close()
  }
}
