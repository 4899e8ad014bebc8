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

/** How much a session may publish; Infinity is no bound. */
export interface PoliceRates {
  /** Of all its tracks: payload kilobits a second, and objects. */
  readonly sessionKbits: number
  readonly sessionObjects: number
  /** Kilobits a second of one track of a call, by what it is. */
  readonly audioKbits: number
  readonly videoKbits: number
  readonly screenKbits: number
  readonly signallingKbits: number
  /** Objects a second of one track of a call. */
  readonly trackObjects: number
}

/**
 * Three renditions of a camera up to 1080p (about 5 Mbit/s together, and up to 8 at ease), a screen of
 * 4 Mbit/s and sound fit in twice over.
 */
export const DEFAULT_POLICE_RATES: PoliceRates = {
  sessionKbits: 20_000,
  sessionObjects: 5000,
  audioKbits: 512,
  videoKbits: 8000,
  screenKbits: 8000,
  signallingKbits: 2000,
  trackObjects: 2000,
}

/** No bound, but all the counting. */
export const UNLIMITED_POLICE_RATES: PoliceRates = {
  sessionKbits: Number.POSITIVE_INFINITY,
  sessionObjects: Number.POSITIVE_INFINITY,
  audioKbits: Number.POSITIVE_INFINITY,
  videoKbits: Number.POSITIVE_INFINITY,
  screenKbits: Number.POSITIVE_INFINITY,
  signallingKbits: Number.POSITIVE_INFINITY,
  trackObjects: Number.POSITIVE_INFINITY,
}

/** What may come at once, in seconds of the rate: a large key frame beside ordinary sending. */
const BURST_S = 2

/** @param largestObject bytes of what has to pass, where nothing was sent for long and no rate says more */
export function policeSettings(rates: PoliceRates, largestObject: number): PoliceSettings {
  const track = (kilobits: number, atOnce = 0) => bounds(kilobits, rates.trackObjects, atOnce)
  const video = track(rates.videoKbits)
  return {
    // Twice, since the floors leave a part of it to others.
    session: bounds(rates.sessionKbits, rates.sessionObjects, 2 * largestObject),
    track: {
      // The handshakes of a large group are large.
      signalling: track(rates.signallingKbits, largestObject),
      audio: track(rates.audioKbits),
      data: track(rates.signallingKbits, largestObject),
      speaker: video,
      base: video,
      screen: track(rates.screenKbits),
      enhancement: video,
      other: NONE,
    },
    floors: {
      signalling: 0,
      audio: 0,
      data: 0,
      speaker: 0.25,
      base: 0.25,
      screen: 0.3,
      other: 0.3,
      enhancement: 0.5,
    },
    trackFloor: 0.3,
    proof: 0.1,
  }
}

/** @param atOnce bytes that may come at once, where those of `BURST_S` are fewer */
function bounds(kilobits: number, objects: number, atOnce: number): Bounds {
  const bytes = (kilobits * 1000) / 8
  return {
    bytes: { perSecond: bytes, burst: Math.max(bytes * BURST_S, atOnce) },
    objects: { perSecond: objects, burst: objects * BURST_S },
  }
}

const MIB = 1024 * 1024

export const DEFAULT_POLICE: PoliceSettings = policeSettings(DEFAULT_POLICE_RATES, 8 * MIB)

/** By class number, for the hot path. */
export function byClass<T>(values: Readonly<Record<Traffic, T>>): readonly T[] {
  return TRAFFIC.map((traffic) => values[traffic])
}
