/**
 * Samples of one rate into those of another: a windowed sinc, of which the weights between two samples are
 * taken from a table. For the audio thread: it allocates nothing once it is made.
 */

/** Samples to each side of the one that is made. */
const REACH = 16
/** Places between two samples for which there are weights. */
const STEPS = 256
/** Share of the band that is kept: the rest is the slope of the filter. */
const BAND = 0.92

export class Resampler {
  private readonly step: number
  /** `STEPS + 1` rows of `2 * REACH` weights. */
  private readonly weights: Float32Array
  /** The newest samples twice, so that a window of them is always in one piece. */
  private readonly recent = new Float32Array(4 * REACH)
  private at = 0
  /** Where the next sample lies beyond the newest window's middle, in samples of the input. */
  private position = 0

  /** @param from Hz @param to Hz */
  constructor(from: number, to: number) {
    this.step = from / to
    this.weights = weightsOf(Math.min(1, to / from) * BAND)
  }

  /** @param emit called with each sample that is due now */
  push(sample: number, emit: (sample: number) => void): void {
    this.recent[this.at] = sample
    this.recent[this.at + 2 * REACH] = sample
    this.at = (this.at + 1) % (2 * REACH)
    while (this.position < 1) {
      emit(this.between(this.position))
      this.position += this.step
    }
    this.position -= 1
  }

  /** @param position 0..1 between the two samples in the middle of the window */
  private between(position: number): number {
    const row = Math.round(position * STEPS) * 2 * REACH
    let sum = 0
    for (let i = 0; i < 2 * REACH; i++) sum += this.recent[this.at + i]! * this.weights[row + i]!
    return sum
  }
}

/** @param band share of the input's band that is kept, 0..1 */
function weightsOf(band: number): Float32Array {
  const weights = new Float32Array((STEPS + 1) * 2 * REACH)
  for (let step = 0; step <= STEPS; step++) {
    const row = weights.subarray(step * 2 * REACH, (step + 1) * 2 * REACH)
    let sum = 0
    for (let i = 0; i < row.length; i++) {
      const distance = i - (REACH - 1) - step / STEPS
      row[i] = sinc(distance * band) * window(distance / REACH)
      sum += row[i]!
    }
    // Level stays level, wherever between two samples it is looked at.
    for (let i = 0; i < row.length; i++) row[i]! /= sum
  }
  return weights
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** Blackman's; 0 beyond -1..1. */
function window(x: number): number {
  if (Math.abs(x) >= 1) return 0
  return 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)
}
