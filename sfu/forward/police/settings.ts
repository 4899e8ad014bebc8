import { TRAFFIC, type Traffic } from '../traffic.ts'
import { type Rate, UNLIMITED } from './allowance.ts'

/** Bounds of a session or track: payload bytes, and objects. */
export interface Bounds {
  readonly bytes: Rate
  readonly objects: Rate
}

/** What a publisher may send. A service of our own is not policed. */
export interface PoliceSettings {
  /** All of a session's tracks together. */
  readonly session: Bounds
  /** One track of a call, by the kind that its name tells; a track that is no call's has none. */
  readonly track: Readonly<Record<Traffic, Bounds>>
  /**
   * The share of the session's allowance that each kind leaves to those that matter more, 0..1. Sound
   * leaves nothing: it is dropped only when it is itself too much.
   */
  readonly floors: Readonly<Record<Traffic, number>>
  /** The share of a track's own allowance that its enhancement layers leave to its base layer. */
  readonly trackFloor: number
  /**
   * How much more than its floor there has to be, as a share of the allowance, before a kind that was
   * dropped passes again.
   */
  readonly proof: number
}

const NONE: Bounds = { bytes: UNLIMITED, objects: UNLIMITED }

/** Kilobits and objects a second, with so many seconds of both at once. */
function bounds(kilobits: number, objects: number, seconds: number): Bounds {
  const bytes = (kilobits * 1000) / 8
  return {
    bytes: { perSecond: bytes, burst: bytes * seconds },
    objects: { perSecond: objects, burst: objects * seconds },
  }
}

/**
 * Three renditions of a camera, a screen and sound fit in, key frames of all at once included. Two
 * seconds of burst are a large key frame beside ordinary sending.
 */
export const DEFAULT_POLICE: PoliceSettings = {
  session: bounds(8000, 2000, 2),
  track: {
    signalling: bounds(1000, 200, 4),
    audio: bounds(512, 200, 2),
    base: bounds(5000, 1000, 2),
    speaker: bounds(5000, 1000, 2),
    screen: bounds(6000, 1000, 2),
    enhancement: bounds(5000, 1000, 2),
    other: NONE,
  },
  floors: {
    signalling: 0,
    audio: 0,
    base: 0.25,
    speaker: 0.25,
    screen: 0.3,
    other: 0.3,
    enhancement: 0.5,
  },
  trackFloor: 0.3,
  proof: 0.1,
}

/** By class number, for the hot path. */
export function byClass<T>(values: Readonly<Record<Traffic, T>>): readonly T[] {
  return TRAFFIC.map((traffic) => values[traffic])
}
