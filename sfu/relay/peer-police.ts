import { isFrameStart } from '../../moq/media/index.ts'
import type { Clock } from '../../moq/session/index.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { markingOf, startsKeyFrame } from '../forward/gate/index.ts'
import {
  Cut,
  type CutPoint,
  isChained,
  type PoliceCounters,
  type PoliceSettings,
  SessionPolice,
  type TrackPolice,
} from '../forward/police/index.ts'
import { TRAFFIC, type TrackTraffic } from '../forward/traffic.ts'

export interface PolicePolicy {
  readonly settings: PoliceSettings
  /** Of all sessions together. */
  readonly counters: PoliceCounters
}

/** Between two tellings that a session is policed, ms. */
const TELL_MS = 10_000

/** What one session may send as a publisher, and how often it is told that it sends more. */
export class PeerPolice {
  private readonly clock: Clock
  private readonly session: SessionPolice
  private readonly onPoliced: (dropped: number) => void
  private untold = 0
  private toldAt = Number.NEGATIVE_INFINITY

  /** @param onPoliced so many objects were dropped since it was last called, which is not often */
  constructor(clock: Clock, policy: PolicePolicy, onPoliced: (dropped: number) => void) {
    this.clock = clock
    this.session = new SessionPolice(policy.settings, clock.now(), policy.counters)
    this.onPoliced = onPoliced
  }

  /** One track that it publishes. */
  upstream(traffic: TrackTraffic): UpstreamPolice {
    const police = this.session.track(traffic.stream, this.clock.now())
    return new UpstreamPolice(this, police, traffic)
  }

  /** @param now ms */
  dropped(now: number): void {
    const dropped = this.untold + 1
    const isTime = now - this.toldAt >= TELL_MS
    this.untold = isTime ? 0 : dropped
    if (!isTime) return
    this.toldAt = now
    this.onPoliced(dropped)
  }

  /** An object was dropped that builds on one that was. */
  countCut(): void {
    this.session.counters['cut-group']++
  }
}

const ENHANCEMENT = TRAFFIC.indexOf('enhancement')

/** What one session may send of one track. Nothing is allocated for an object. */
export class UpstreamPolice {
  private readonly peer: PeerPolice
  private readonly police: TrackPolice
  private readonly traffic: TrackTraffic
  /** A camera or screen, whose frames are marked. */
  private readonly isPicture: boolean
  /** Objects of its streams build on those before them. */
  private readonly isChained: boolean
  /** The largest group of which an object that others build on was dropped, or -1. */
  private brokenGroup = -1
  /** The group of the last key frame that passed, or -1. */
  private keyGroup = -1

  constructor(peer: PeerPolice, police: TrackPolice, traffic: TrackTraffic) {
    this.peer = peer
    this.police = police
    this.traffic = traffic
    this.isChained = isChained(traffic.stream)
    this.isPicture = traffic.datagram === ENHANCEMENT
  }

  /** A key frame would pass now, and nothing else does. */
  get keyFrameWanted(): boolean {
    return this.police.keyFrameWanted
  }

  /**
   * Whether the object passes; otherwise nothing is to come of it.
   * @param now ms
   */
  passes(object: MoqObject, now: number): boolean {
    const { group } = object
    const traffic = object.subgroup === null ? this.traffic.datagram : this.traffic.stream
    const cut = this.isPicture ? pictureCut(object) : this.groupCut(group)
    // Of a group that was cut, something may come behind the key frame of a later one.
    const isLate = group < this.keyGroup && group <= this.brokenGroup
    if (isLate) this.peer.countCut()
    const drop = isLate || this.police.police(now, traffic, object.payloadLength, cut) !== null
    if (drop) {
      this.peer.dropped(now)
      const isBase = this.isChained && traffic !== ENHANCEMENT
      if (isBase && group > this.brokenGroup) this.brokenGroup = group
    } else if (cut === Cut.KEY_FRAME) this.keyGroup = group
    return !drop
  }

  /** Of a track without marks, a group begins where a key frame would. */
  private groupCut(group: number): CutPoint {
    return group > this.keyGroup && group > this.brokenGroup ? Cut.KEY_FRAME : Cut.FRAME
  }
}

function pictureCut({ body, object, propertiesStart, propertiesSize }: MoqObject): CutPoint {
  const marking = markingOf(body, object, propertiesStart, propertiesStart + propertiesSize)
  if (startsKeyFrame(marking)) return Cut.KEY_FRAME
  return isFrameStart(marking) ? Cut.FRAME : Cut.MIDDLE
}
