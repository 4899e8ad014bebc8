/**
 * A time in a picture: its low bits as black and white fields, large enough to outlive scaling and coding,
 * with a sum that a picture of anything else does not have.
 */

export interface Timecode {
  /** Fields in the upper part of the picture, which are counted row by row from the top left. */
  readonly columns: number
  readonly rows: number
  /** Share of the picture's height that they take. */
  readonly height: number
  /** Times repeat after this, ms: more than four hours. */
  readonly periodMs: number
  /** @param ms whole, of any clock; @returns for each field whether it is white */
  fieldsOf(ms: number): boolean[]
  /** @param white for each field; @returns ms modulo `periodMs`, or null when this is no time */
  timeOf(white: readonly boolean[]): number | null
  /** How long ago a time was shown, ms. @param now of the same clock */
  ageOf(time: number, now: number): number
}

/** Also handed to pages as text: needs nothing from outside of itself. */
export function makeTimecode(): Timecode {
  const sumBits = 8
  const timeBits = 24
  const bits = timeBits + sumBits
  const periodMs = 2 ** timeBits
  const sumOf = (time: number) => {
    let sum = 0x5a
    for (let rest = time; rest > 0; rest = Math.floor(rest / 256)) {
      sum = (sum * 31 + (rest % 256)) % 256
    }
    return sum
  }
  return {
    columns: 8,
    rows: 4,
    height: 0.5,
    periodMs,
    fieldsOf(ms) {
      const time = ms % periodMs
      const word = time * 2 ** sumBits + sumOf(time)
      return Array.from(
        { length: bits },
        (_, i) => Math.floor(word / 2 ** (bits - 1 - i)) % 2 === 1,
      )
    },
    timeOf(white) {
      if (white.length !== bits) return null
      const word = white.reduce((sum, bit) => sum * 2 + (bit ? 1 : 0), 0)
      const time = Math.floor(word / 2 ** sumBits)
      return sumOf(time) === word % 2 ** sumBits ? time : null
    },
    ageOf: (time, now) => (((now - time) % periodMs) + periodMs) % periodMs,
  }
}
