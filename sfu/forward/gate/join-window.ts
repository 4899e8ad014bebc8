import type { FetchObject } from '../../../moq/wire/fetch.ts'
import { KeyFrameGate } from './key-frame-gate.ts'
import { type GatedObject, isBaseLayer, startsKeyFrame } from './marking.ts'
import type { GateVerdict } from './verdict.ts'

export interface JoinLimits {
  /** Oldest key frame that is still served, ms: its group is decoded before the live picture. */
  readonly maxAgeMs: number
  /** Largest base layer of a group that is served, payload bytes. */
  readonly maxBytes: number
  /** Most base objects of a group that is served. */
  readonly maxObjects: number
}

export const DEFAULT_JOIN_LIMITS: JoinLimits = {
  maxAgeMs: 2000,
  maxBytes: 512 * 1024,
  maxObjects: 256,
}

/** Where the bytes are; `TrackCache` has it. */
export interface ObjectStore {
  find(group: number, object: number): FetchObject | undefined
}

/** What a joiner may be given before the live objects. */
export interface JoinGroup {
  readonly group: number
  /** Its base layer so far, from the key frame on, with the facts that gates decide on. */
  readonly objects: readonly JoinObject[]
}

export interface JoinObject {
  readonly facts: GatedObject
  readonly object: FetchObject
}

/**
 * The newest group of a track that can be decoded, for who comes in its middle: its base layer is in
 * the cache and can be served at once, instead of waiting for a new key frame. Enhancement layers of
 * what is over are left out. It watches every object as a subscriber that loses nothing would.
 */
export class JoinWindow {
  private readonly gate = new KeyFrameGate()
  private readonly limits: JoinLimits
  /** Of each base object: id, subgroup, marking. The bytes stay in the cache. */
  private readonly ids: number[] = []
  private readonly subgroups: number[] = []
  private readonly markings: number[] = []
  private generation = 0
  private bytes = 0
  private beganAt = 0
  private complete = false

  constructor(limits: JoinLimits = DEFAULT_JOIN_LIMITS) {
    this.limits = limits
  }

  /**
   * An object that is new to the track, in the order of arrival.
   * @param payloadBytes its size
   * @param now ms
   * @returns what a subscriber that loses nothing is told
   */
  add(object: GatedObject, payloadBytes: number, now: number): GateVerdict {
    const verdict = this.gate.decide(object)
    if (verdict === 'forward' && isBaseLayer(object.marking)) {
      this.addBase(object, payloadBytes, now)
    }
    return verdict
  }

  /**
   * Whether there is a group that is fresh and small enough to be served, before the cache is asked.
   * @param maxBytes what the joiner's path bears, where that is known
   */
  isServable(now: number, maxBytes = Number.POSITIVE_INFINITY): boolean {
    if (!this.complete || !this.gate.isOpen || this.bytes > maxBytes) return false
    return now - this.beganAt <= this.limits.maxAgeMs
  }

  /** How long ago the newest key frame came, ms. */
  ageMs(now: number): number {
    return now - this.beganAt
  }

  /**
   * The newest group from its key frame to the last object that came, or null when it cannot be served
   * or the cache has lost some of it. To be queued, through the joiner's own gate, before any other
   * object is read: so the live objects follow without a gap or a duplicate.
   */
  serve(cache: ObjectStore, now: number, maxBytes?: number): JoinGroup | null {
    if (!this.isServable(now, maxBytes)) return null
    const { generation } = this
    const { group } = this.gate
    const objects: JoinObject[] = []
    for (let at = 0; at < this.ids.length; at++) {
      const id = this.ids[at]!
      const object = cache.find(group, id)
      if (!object) return null
      const subgroup = this.subgroups[at]!
      const facts = { group, object: id, subgroup, marking: this.markings[at]!, generation }
      objects.push({ facts, object })
    }
    return { group, objects }
  }

  /** Another history of the track begins. */
  clear(): void {
    this.gate.close()
    this.forget()
  }

  private addBase(object: GatedObject, payloadBytes: number, now: number): void {
    if (startsKeyFrame(object.marking)) this.begin(object.generation, now)
    else if (!this.complete || object.group !== this.gate.group) return
    this.bytes += payloadBytes
    if (this.bytes > this.limits.maxBytes || this.ids.length >= this.limits.maxObjects) {
      this.forget()
      return
    }
    this.ids.push(object.object)
    this.subgroups.push(object.subgroup)
    this.markings.push(object.marking)
  }

  private begin(generation: number, now: number): void {
    this.forget()
    this.generation = generation
    this.beganAt = now
    this.complete = true
  }

  private forget(): void {
    this.ids.length = 0
    this.subgroups.length = 0
    this.markings.length = 0
    this.bytes = 0
    this.complete = false
  }
}
