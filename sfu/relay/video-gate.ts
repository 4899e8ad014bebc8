import { parseTrackName } from '../../moq/media/names.ts'
import type { Clock } from '../../moq/session/index.ts'
import { type FullTrackName, textOf } from '../../moq/wire/names.ts'
import {
  DEFAULT_JOIN_LIMITS,
  EarlyObjects,
  type JoinGroup,
  JoinWindow,
  KeyFrameRequests,
  type ObjectStore,
  startsKeyFrame,
} from '../forward/gate/index.ts'
import type { ForwardObject } from '../forward/object.ts'
import type { RelayLimits } from './limits.ts'

export interface VideoGateOptions {
  readonly clock: Clock
  readonly limits: Pick<RelayLimits, 'keyFrameRequestMs' | 'joinWindowMs'>
  /** Asks the publishers for a new group (draft-18 section 10.2.13). */
  readonly requestGroup: () => void
  /** See `KeyFrameRequestOptions`. */
  readonly onCoalesced?: () => void
}

/** Whether subscribers can begin only at key frames. @param name of a track of a call */
export function isPicture(name: FullTrackName): boolean {
  const kind = parseTrackName(textOf(name.name) ?? '')?.kind
  return kind === 'video' || kind === 'screen'
}

/**
 * What the key-frame gates of a picture track's subscribers share: the newest group for who joins, the
 * datagrams that came before what they build on, and the requests for key frames.
 */
export class VideoGate {
  private readonly window: JoinWindow
  private readonly early = new EarlyObjects<ForwardObject>()
  private readonly requests: KeyFrameRequests
  /** The last object can be decoded by a subscriber that loses nothing. */
  private passed = false

  constructor({ clock, limits, requestGroup, onCoalesced }: VideoGateOptions) {
    this.window = new JoinWindow({ ...DEFAULT_JOIN_LIMITS, maxAgeMs: limits.joinWindowMs })
    this.requests = new KeyFrameRequests({
      clock,
      send: requestGroup,
      onCoalesced,
      intervalMs: limits.keyFrameRequestMs,
    })
  }

  /**
   * Takes an object that is new to the track, in the order of arrival.
   * @returns false when it is not to be offered to subscribers yet: a datagram that waits for its base
   */
  add(object: ForwardObject, payloadBytes: number, now: number): boolean {
    const verdict = this.window.add(object, payloadBytes, now)
    if (this.early.hold(object, verdict, now)) return false
    this.passed = verdict === 'forward'
    if (this.passed && startsKeyFrame(object.marking)) this.requests.keyFrameCame()
    return true
  }

  /** After the object was offered: offers those that waited for it. */
  follow(now: number, offer: (object: ForwardObject) => void): void {
    if (this.passed && this.early.size > 0) this.release(now, offer)
  }

  /** A subscriber cannot go on without a key frame. */
  ask(): void {
    this.requests.ask()
  }

  /**
   * The group that a subscriber may begin with at once, or null.
   * @param maxAgeMs of its key frame, beside the limit
   */
  joinGroup(cache: ObjectStore, now: number, maxAgeMs: number): JoinGroup | null {
    return this.window.ageMs(now) > maxAgeMs ? null : this.window.serve(cache, now)
  }

  /** Another history of the track begins. */
  clear(): void {
    this.window.clear()
    this.early.clear()
  }

  close(): void {
    this.clear()
    this.requests.close()
  }

  private release(now: number, offer: (object: ForwardObject) => void): void {
    this.early.release(now, (held) => {
      const verdict = this.window.add(held, 0, now)
      if (verdict === 'forward') offer(held)
      return verdict
    })
  }
}
