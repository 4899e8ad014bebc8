/** A room of the service: its group, if it has one, and what keeps its participants within bounds. */

import { Bars } from './bars.ts'
import { Refusal } from './refusal.ts'
import type { RoomGroup } from './room-group.ts'
import type { SequencerSettings } from './settings.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Waiting } from './waiting.ts'

export class Room {
  group: RoomGroup | null = null
  /** Participants whose namespace is gone, and since when, ms. */
  readonly absent = new Map<string, number>()
  readonly bars: Bars
  /** Its file is being written: what is submitted meanwhile waits. */
  isBusy = false
  /** Bytes of the room's file at which it is written anew. */
  compactAt: number
  private readonly settings: SequencerSettings
  private readonly bucket: TokenBucket
  private readonly submitters = new Map<string, TokenBucket>()
  private readonly queue: Waiting[] = []
  private queueBytes = 0

  constructor(settings: SequencerSettings, now: number) {
    this.settings = settings
    this.bucket = new TokenBucket(settings.roomRate, now)
    this.bars = new Bars(settings.barMs, settings.barMostMs)
    this.compactAt = settings.compactBytes
  }

  /** @throws Refusal for a participant, or a room, that submits too often */
  admit(participant: string, now: number): void {
    const { submitters, settings } = this
    let bucket = submitters.get(participant)
    if (bucket === undefined) {
      if (submitters.size >= settings.submitters) {
        throw new Refusal('full', `${submitters.size} submitters`)
      }
      bucket = new TokenBucket(settings.memberRate, now)
      submitters.set(participant, bucket)
    }
    // The member's own bucket first: one that floods must not drain the room's.
    if (!bucket.take(now)) throw new Refusal('rate-limited', `${participant} submits too often`)
    if (!this.bucket.take(now)) throw new Refusal('rate-limited', 'the room submits too often')
  }

  get waiting(): number {
    return this.queue.length
  }

  /** @throws Refusal when too much waits for the disk */
  push(waiting: Waiting): void {
    const { queue, settings } = this
    const bytes = this.queueBytes + waiting.bytes.length
    if (queue.length >= settings.waiting || bytes > settings.waitingBytes) {
      throw new Refusal('overloaded', `the disk does not keep up: ${queue.length} submissions wait`)
    }
    queue.push(waiting)
    this.queueBytes = bytes
  }

  shift(): Waiting | undefined {
    const first = this.queue.shift()
    this.queueBytes -= first?.bytes.length ?? 0
    return first
  }

  setPresent(participant: string, present: boolean, now: number): void {
    if (present) this.absent.delete(participant)
    else if (this.isHeld(participant) && !this.absent.has(participant)) {
      this.absent.set(participant, now)
    }
  }

  /** Every member counts as gone from now on, until it is seen. */
  expectAll(now: number): void {
    for (const id of this.group?.state.roster.values() ?? []) this.setPresent(id, false, now)
  }

  /** Who submits is there; who holds no leaf any more is not waited for. */
  heard(participant: string): void {
    this.absent.delete(participant)
    for (const id of this.absent.keys()) if (!this.isHeld(id)) this.absent.delete(id)
  }

  /** Whether nobody of the group was there for `emptyRoomMs`. */
  isDeserted(now: number): boolean {
    if (this.group === null) return false
    const { roster, departed } = this.group.state
    for (const id of roster.values()) {
      if (departed.has(id)) continue
      const since = this.absent.get(id)
      if (since === undefined || now - since < this.settings.emptyRoomMs) return false
    }
    return true
  }

  /** Forgets who is within its bounds again. Returns whether nothing is left to be remembered. */
  sweep(now: number): boolean {
    this.group?.settle(now)
    this.bars.sweep(now)
    for (const [id, bucket] of this.submitters) if (bucket.full(now)) this.submitters.delete(id)
    if (this.isBusy) return false
    return this.group === null && this.submitters.size === 0 && this.bars.size === 0
  }

  end(): void {
    this.group = null
    this.absent.clear()
    this.compactAt = this.settings.compactBytes
  }

  private isHeld(participant: string): boolean {
    for (const holder of this.group?.state.roster.values() ?? []) {
      if (holder === participant) return true
    }
    return false
  }
}
