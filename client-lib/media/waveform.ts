/**
 * Makes sound longer and shorter, and goes on with it where some is missing, by whole periods of its
 * waveform, so that neither a click nor another pitch is heard. All planes of a sound are cut alike.
 */

/** Periods that are looked for: 100 to 400 Hz, and multiples of what is above. */
const SHORTEST_MS = 2.5
const LONGEST_MS = 10
/** Every so many samples are compared at first. */
const COARSE = 4
/** RMS below which a sound is silence, where any cut will do. */
const QUIET = 0.001

export interface Period {
  /** Samples. */
  readonly length: number
  /** How alike the last two periods are: up to 1, and 1 of silence. */
  readonly likeness: number
}

/** Samples that must be there for a period to be found: the rest of a shorter sound is left alone. */
export function leastSamples(sampleRate: number): number {
  return 2 * longest(sampleRate)
}

/** The period with which the first `length` of the samples end; at least `leastSamples` of them. */
export function periodOf(samples: Float32Array, length: number, sampleRate: number): Period {
  const from = Math.round((SHORTEST_MS * sampleRate) / 1000)
  const to = longest(sampleRate)
  const best = search(samples, length, { from, to, window: to, stride: COARSE })
  if (best.likeness === 1) return best
  return search(samples, length, {
    from: Math.max(from, best.length - COARSE),
    to: Math.min(to, best.length + COARSE),
    window: to,
    stride: 1,
  })
}

interface Range {
  readonly from: number
  readonly to: number
  readonly window: number
  readonly stride: number
}

function search(samples: Float32Array, length: number, range: Range): Period {
  const { from, to, window, stride } = range
  let energy = 0
  for (let i = length - window; i < length; i += stride) energy += samples[i]! ** 2
  if (energy * stride < window * QUIET ** 2) return { length: to, likeness: 1 }
  let best = from
  let likeness = -1
  for (let lag = from; lag <= to; lag += stride) {
    let product = 0
    let before = 0
    for (let i = length - window; i < length; i += stride) {
      const earlier = samples[i - lag]!
      product += samples[i]! * earlier
      before += earlier * earlier
    }
    const alike = product / Math.sqrt(energy * before + 1e-12)
    if (alike > likeness) {
      likeness = alike
      best = lag
    }
  }
  return { length: best, likeness: Math.min(0.999, likeness) }
}

/** Takes one period out at the end of the first `length` samples; returns the new length. */
export function shorten(
  planes: readonly Float32Array[],
  length: number,
  { length: period }: Period,
): number {
  for (const plane of planes) {
    for (let i = 0; i < period; i++) {
      const before = length - 2 * period + i
      plane[before]! += (plane[before + period]! - plane[before]!) * (i / period)
    }
  }
  return length - period
}

/** Puts one period in at the end of the first `length` samples, for which there is room behind. */
export function lengthen(
  planes: readonly Float32Array[],
  length: number,
  { length: period }: Period,
): number {
  for (const plane of planes) {
    // The last period moves to the end; where it was, it turns into the one before it.
    plane.copyWithin(length, length - period, length)
    for (let i = 0; i < period; i++) {
      const at = length - period + i
      plane[at]! += (plane[at - period]! - plane[at]!) * (i / period)
    }
  }
  return length + period
}

function longest(sampleRate: number): number {
  return Math.round((LONGEST_MS * sampleRate) / 1000)
}
