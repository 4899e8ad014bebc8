/**
 * Policing of publishers: how much one session and one of its tracks may send, in bytes and objects. What
 * is too much is dropped from the least needed up: enhancement layers, screen, base layers, and sound
 * only when sound itself is too much. A base layer is dropped from an object on until its next key frame,
 * never with a hole in it.
 *
 * Pure: the time is passed in, and nothing is allocated for an object.
 */

import { TRAFFIC, type TrafficClass } from '../traffic.ts'
import { Allowance } from './allowance.ts'
import { makePoliceCounters, type PoliceCounters, type PoliceDrop } from './counters.ts'
import { type Bounds, byClass, type PoliceSettings } from './settings.ts'

/** Where an object stands in its track, for the police. */
export const Cut = {
  /** A later part of a frame, or nothing is known of it. */
  MIDDLE: 0,
  /** A frame begins. */
  FRAME: 1,
  /** A key frame begins; of a track without marks, a group. */
  KEY_FRAME: 2,
} as const

export type CutPoint = (typeof Cut)[keyof typeof Cut]

const ENHANCEMENT = TRAFFIC.indexOf('enhancement')

/** Classes whose objects stand on those before them, up to a key frame. */
const IS_CHAINED = byClass({
  signalling: false,
  audio: false,
  data: false,
  base: true,
  speaker: true,
  screen: true,
  other: true,
  enhancement: false,
})

/** Whether objects of the class build on those before them: what is cut is cut up to a key frame. */
export function isChained(traffic: TrafficClass): boolean {
  return IS_CHAINED[traffic]!
}

/** A publishing session. Its tracks share its allowance. */
export class SessionPolice {
  readonly counters: PoliceCounters
  private readonly settings: PoliceSettings
  private readonly bounds: BoundsPair
  private readonly floors: readonly number[]
  /** By class: something of it was dropped, and there was not enough since. */
  private readonly shedding: boolean[] = TRAFFIC.map(() => false)

  /** @param counters of all sessions together, where wanted */
  constructor(settings: PoliceSettings, now: number, counters = makePoliceCounters()) {
    this.settings = settings
    this.bounds = new BoundsPair(settings.session, now)
    this.floors = byClass(settings.floors)
    this.counters = counters
  }

  /** @param traffic the class of the track's streams: a video track is `base` */
  track(traffic: TrafficClass, now: number): TrackPolice {
    const bounds = this.settings.track[TRAFFIC[traffic]!]
    const { trackFloor, proof } = this.settings
    return new TrackPolice(this, new BoundsPair(bounds, now), trackFloor, proof)
  }

  /** @returns null where the session bears it */
  judge(now: number, traffic: TrafficClass, size: number): PoliceDrop | null {
    const floor = this.floors[traffic]!
    const proven = this.shedding[traffic] ? floor + this.settings.proof : floor
    const reached = this.bounds.reached(now, size, proven)
    this.shedding[traffic] = reached !== Reached.NOTHING
    if (reached === Reached.BYTES) return 'session-bytes'
    return reached === Reached.OBJECTS ? 'session-objects' : null
  }

  take(size: number): void {
    this.bounds.take(size)
  }
}

/** One track that a session publishes. */
export class TrackPolice {
  private readonly session: SessionPolice
  private readonly bounds: BoundsPair
  private readonly floor: number
  private readonly proof: number
  /** The base layer is dropped until a key frame. */
  private groupCut = false
  /** The enhancement frame under way is dropped. */
  private frameCut = false
  /** Its bound was reached, for the base and for the rest, and there was not enough since. */
  private sheddingBase = false
  private sheddingRest = false
  private wantsKeyFrame = false

  constructor(session: SessionPolice, bounds: BoundsPair, floor: number, proof: number) {
    this.session = session
    this.bounds = bounds
    this.floor = floor
    this.proof = proof
  }

  /**
   * The base layer is dropped, and a key frame would pass now: ask the publisher for one. Asking is for
   * the owner to limit.
   */
  get keyFrameWanted(): boolean {
    return this.wantsKeyFrame
  }

  /**
   * Whether an object passes: null, or why it does not. What passed is counted against the bounds.
   * @param now ms
   * @param traffic of the object: in a video track, a datagram is `enhancement`
   * @param size payload bytes
   */
  police(now: number, traffic: TrafficClass, size: number, cut: CutPoint): PoliceDrop | null {
    const drop = this.decide(now, traffic, size, cut)
    if (drop === null) {
      this.bounds.take(size)
      this.session.take(size)
    } else this.session.counters[drop]++
    return drop
  }

  private decide(
    now: number,
    traffic: TrafficClass,
    size: number,
    cut: CutPoint,
  ): PoliceDrop | null {
    if (traffic === ENHANCEMENT) {
      if (this.groupCut) return 'no-base'
      if (this.frameCut && cut === Cut.MIDDLE) return 'cut-frame'
      const drop = this.judge(now, traffic, size)
      this.frameCut = drop !== null
      return drop
    }
    if (!IS_CHAINED[traffic]) return this.judge(now, traffic, size)
    if (this.groupCut && cut !== Cut.KEY_FRAME) {
      // As large as what just came: a guess, which the key frame itself is held to.
      this.wantsKeyFrame = this.judge(now, traffic, size) === null
      return 'cut-group'
    }
    const drop = this.judge(now, traffic, size)
    this.groupCut = drop !== null
    this.wantsKeyFrame = false
    return drop
  }

  private judge(now: number, traffic: TrafficClass, size: number): PoliceDrop | null {
    const isRest = traffic === ENHANCEMENT
    const floor = isRest ? this.floor : 0
    const shedding = isRest ? this.sheddingRest : this.sheddingBase
    const reached = this.bounds.reached(now, size, shedding ? floor + this.proof : floor)
    if (isRest) this.sheddingRest = reached !== Reached.NOTHING
    else this.sheddingBase = reached !== Reached.NOTHING
    if (reached === Reached.BYTES) return 'track-bytes'
    if (reached === Reached.OBJECTS) return 'track-objects'
    return this.session.judge(now, traffic, size)
  }
}

const Reached = { NOTHING: 0, BYTES: 1, OBJECTS: 2 } as const

/** The two allowances of a session or track. */
class BoundsPair {
  private readonly bytes: Allowance
  private readonly objects: Allowance

  constructor(bounds: Bounds, now: number) {
    this.bytes = new Allowance(bounds.bytes, now)
    this.objects = new Allowance(bounds.objects, now)
  }

  reached(now: number, size: number, floor: number): 0 | 1 | 2 {
    if (!this.bytes.allows(now, size, floor)) return Reached.BYTES
    return this.objects.allows(now, 1, floor) ? Reached.NOTHING : Reached.OBJECTS
  }

  take(size: number): void {
    this.bytes.take(size)
    this.objects.take(1)
  }
}
