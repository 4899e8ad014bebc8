/**
 * Objects into frames that a decoder can take. They come from a stream (base layer) and as datagrams
 * (enhancement), in any order, twice or never; frames leave in decode order, and only those whose
 * references were released before. Nothing waits for longer than a bound: a lost enhancement frame is
 * skipped, a lost base frame ends the group and a key frame is asked for. Pure: the clock is passed in.
 */

import { type DecodeState, type Readiness, readiness } from './dependencies.ts'
import {
  frameNumberOf,
  joinFragments,
  markingOf,
  type PendingFrame,
  PendingFrames,
  type VideoObject,
} from './pending-frames.ts'

export type { VideoObject } from './pending-frames.ts'

export interface AssembledFrame {
  readonly group: number
  readonly number: number
  readonly bytes: Uint8Array
  /** Wall-clock µs of capture; 0 when the publisher gives none. */
  readonly timestamp: number
  readonly key: boolean
  readonly temporalLayer: number
  /** No later frame depends on it. */
  readonly discardable: boolean
  readonly config?: Uint8Array
}

export interface AssemblerOptions {
  /** ms, monotonic. */
  readonly now: () => number
  readonly onFrame: (frame: AssembledFrame) => void
  /** Nothing can be decoded until a key frame comes. Repeated while it stays so. */
  readonly onKeyFrameNeeded: () => void
  /** How long a decodable frame waits for earlier ones that may yet come; ms, default 20. */
  readonly reorderMs?: number
  /**
   * Until when objects from `first` to before `end` are awaited because they were asked for again: the
   * frames behind them wait as long. On the clock given; null: they are not. Default: nothing is.
   */
  readonly awaitedUntil?: (group: number, first: number, end: number) => number | null
  /** How long frames wait for a base frame before the group is given up; ms, default 400. */
  readonly baseMs?: number
  /** Default 128. */
  readonly maxFrames?: number
  /** Default 4 MiB. */
  readonly maxBytes?: number
}

/**
 * Why objects or frames were dropped. `late`: of a frame or group already passed. `lost`: nothing of
 * the frame came. `incomplete`: a fragment did not come. `undecodable`: a reference did not come.
 * `superseded`: a newer group began. `overflow`: too much was waiting.
 */
export type DropReason =
  | 'late'
  | 'duplicate'
  | 'malformed'
  | 'lost'
  | 'incomplete'
  | 'undecodable'
  | 'superseded'
  | 'overflow'

export interface AssemblerCounters {
  released: number
  readonly dropped: Record<DropReason, number>
}

const KEY_FRAME_RETRY_MS = 1000

export class FrameAssembler {
  readonly counters: AssemblerCounters = {
    released: 0,
    dropped: {
      late: 0,
      duplicate: 0,
      malformed: 0,
      lost: 0,
      incomplete: 0,
      undecodable: 0,
      superseded: 0,
      overflow: 0,
    },
  }
  private readonly options: AssemblerOptions
  private readonly reorderMs: number
  private readonly baseMs: number
  private readonly pending = new PendingFrames()
  private group = -1
  /** In the current group nothing is decodable any more, short of a key frame. */
  private broken = true
  /** Behind the last object of the frames that were released or given up. */
  private settledEnd = 0
  private state: DecodeState = { number: -1, settled: -1, layer: 0, baseIndex: null }
  private keyRequestedAt = Number.NEGATIVE_INFINITY

  constructor(options: AssemblerOptions) {
    this.options = options
    this.reorderMs = options.reorderMs ?? 20
    this.baseMs = options.baseMs ?? 400
  }

  push(object: VideoObject): void {
    const number = frameNumberOf(object)
    if (
      object.group < this.group ||
      (object.group === this.group && number <= this.state.settled)
    ) {
      this.counters.dropped.late++
      return
    }
    if (object.group === this.group && this.broken && !markingOf(object).independent) {
      this.counters.dropped.undecodable++
      this.awaitKey()
      return
    }
    const outcome = this.pending.add(object, this.options.now())
    if (outcome !== 'added') this.counters.dropped[outcome]++
    else if (this.isOverfull()) this.overflow()
    else this.poll()
  }

  /** Acts on what has become due. To be called at `nextDeadline`. */
  poll(): void {
    const now = this.options.now()
    this.advance(now)
    for (let key = this.nextKey(); key !== null; key = this.nextKey()) {
      this.enterGroup(key.group)
      this.advance(now)
    }
    if (this.keyDeadline() <= now) this.requestKey(now)
  }

  /** When `poll` has something to do even if no object comes, on the clock given; null for never. */
  nextDeadline(): number | null {
    let deadline = this.keyDeadline()
    const head = this.head()
    if (head !== null) deadline = Math.min(deadline, this.waitsUntil(head, this.verdict(head)))
    return deadline === Number.POSITIVE_INFINITY ? null : deadline
  }

  /** The decoder lost its state: only a key frame helps, and one is asked for. */
  requireKeyFrame(): void {
    this.breakGroup()
    this.requestKey(this.options.now())
  }

  /** Drops all that waits and asks for nothing: the track is of no interest until a key frame comes. */
  rest(): void {
    this.pending.remove(
      () => true,
      () => this.counters.dropped.superseded++,
    )
    this.broken = true
    this.keyRequestedAt = Number.NEGATIVE_INFINITY
  }

  /** Releases or gives up frames of the current group until one must wait. */
  private advance(now: number): void {
    for (let head = this.head(); head !== null; head = this.head()) {
      const gap = head.number > this.state.settled + 1
      const verdict = this.verdict(head)
      const waits = (gap || verdict !== 'ready') && now < this.waitsUntil(head, verdict)
      switch (verdict) {
        case 'ready':
          if (gap && waits) return
          this.release(head)
          break
        case 'needs-previous':
          if (waits) return
          this.giveUp(head)
          break
        case 'never':
          this.giveUp(head)
          break
        case 'needs-base':
          if (gap && waits) return
          this.breakGroup()
          this.requestKey(now)
          return
      }
    }
  }

  private head(): PendingFrame | null {
    return this.pending.firstComplete((frame) => frame.group === this.group)
  }

  private verdict(frame: PendingFrame): Readiness {
    return this.broken && !frame.marking.independent
      ? 'needs-base'
      : readiness(frame.number, frame.marking, this.state)
  }

  /** Until when a frame waits for what is missing before it. */
  private waitsUntil(frame: PendingFrame, verdict: Readiness): number {
    const since = this.waitingSince()
    if (verdict === 'needs-base') return since + this.baseMs
    const { awaitedUntil } = this.options
    const awaited = awaitedUntil?.(frame.group, this.settledEnd, frame.firstObject) ?? since
    return Math.max(since + this.reorderMs, awaited)
  }

  /** When the oldest whole frame of the group came: every wait counts from there, so none adds up. */
  private waitingSince(): number {
    let since = Number.POSITIVE_INFINITY
    for (const frame of this.pending) {
      if (frame.group === this.group && frame.completeAt !== null) {
        since = Math.min(since, frame.completeAt)
      }
    }
    return since
  }

  private release(frame: PendingFrame): void {
    const layer = frame.marking.layer
    const temporalLayer = layer?.temporal ?? 0
    this.settle(frame)
    this.broken = false
    this.state.number = frame.number
    this.state.layer = temporalLayer
    if (temporalLayer === 0) this.state.baseIndex = layer?.baseIndex ?? null
    this.counters.released++
    this.options.onFrame({
      group: frame.group,
      number: frame.number,
      bytes: joinFragments(frame),
      timestamp: frame.media.timestamp ?? 0,
      key: frame.marking.independent,
      temporalLayer,
      discardable: frame.marking.discardable,
      config: frame.media.videoConfig,
    })
  }

  private giveUp(frame: PendingFrame): void {
    this.settle(frame)
    this.counters.dropped.undecodable++
  }

  /** Takes a frame out; what should have come before it is given up. */
  private settle(frame: PendingFrame): void {
    let skipped = frame.number - this.state.settled - 1
    this.pending.remove(
      (other) => other.group === frame.group && other.number <= frame.number,
      (other) => {
        if (other === frame) return
        skipped--
        this.counters.dropped.incomplete++
      },
    )
    this.counters.dropped.lost += skipped
    this.state.settled = frame.number
    this.settledEnd = frame.endObject
  }

  private nextKey(): PendingFrame | null {
    return this.pending.firstComplete(
      (frame) => frame.group > this.group && frame.marking.independent,
    )
  }

  private enterGroup(group: number): void {
    this.pending.remove(
      (frame) => frame.group < group,
      () => this.counters.dropped.superseded++,
    )
    this.group = group
    this.broken = true
    this.settledEnd = 0
    this.state = { number: -1, settled: -1, layer: 0, baseIndex: null }
    this.keyRequestedAt = Number.NEGATIVE_INFINITY
  }

  private breakGroup(): void {
    this.broken = true
    this.pending.remove(
      (frame) => frame.group === this.group && !frame.marking.independent,
      () => this.counters.dropped.undecodable++,
    )
  }

  /** When to ask for a key frame, because later frames wait for nothing else. */
  private keyDeadline(): number {
    let since = Number.POSITIVE_INFINITY
    for (const frame of this.pending) {
      if (frame.group > this.group) since = Math.min(since, frame.firstAt)
    }
    // Broken with nothing waiting: frames were dropped on arrival, a repeated request is still due.
    if (this.broken && this.keyRequestedAt !== Number.NEGATIVE_INFINITY) since = this.keyRequestedAt
    return Math.max(since + this.baseMs, this.keyRequestedAt + KEY_FRAME_RETRY_MS)
  }

  /** What comes is of no use without a key frame: one that does not come soon is asked for. */
  private awaitKey(): void {
    if (this.keyRequestedAt !== Number.NEGATIVE_INFINITY) return
    this.keyRequestedAt = this.options.now() + this.baseMs - KEY_FRAME_RETRY_MS
  }

  private requestKey(now: number): void {
    this.keyRequestedAt = now
    this.options.onKeyFrameNeeded()
  }

  private isOverfull(): boolean {
    return (
      this.pending.size > (this.options.maxFrames ?? 128) ||
      this.pending.bytes > (this.options.maxBytes ?? 4 * 1024 * 1024)
    )
  }

  private overflow(): void {
    this.pending.remove(
      () => true,
      () => this.counters.dropped.overflow++,
    )
    this.broken = true
    this.requestKey(this.options.now())
  }
}
