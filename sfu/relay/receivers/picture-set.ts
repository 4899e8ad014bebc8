import { MAX_LAYERS } from '../../../moq/media/index.ts'
import type { PictureSource } from '../../../moq/media/receiver-report.ts'
import type { ForwardCounters } from '../../forward/counters.ts'
import { type RenditionOffer, RenditionSwitch, type Step } from '../../forward/select/index.ts'
import type { Member, PictureChoice } from './member.ts'
import { chosenLayerOf } from './track-offer.ts'

export type SelectionCounters = Pick<ForwardCounters, 'renditionSwitches' | 'layerChanges'>

/** A rendition that goes out and of which nothing comes is left for another after so long, ms. */
const SILENT_MS = 700
/** The same for one that is awaited: its publisher begins it after it was wanted for two seconds. */
const SLOW_MS = 4000
/** It is not tried again for so long, ms, unless something comes of it. */
const AVOID_MS = 10_000
/** Oldest key frame with whose group a picture goes on in another rendition, ms: no look back. */
const REWIND_MS = 500

interface Rendition {
  readonly member: Member
  /** Since when it is awaited or goes out, ms. */
  askedAt: number
  /** Nothing came of it when something should have, ms; -Infinity: not so. */
  silentAt: number
}

/**
 * A picture of one participant towards one receiver: the subscriptions to the renditions of a camera,
 * of which one goes out at a time, or to a screen.
 */
export class PictureSet implements PictureChoice {
  readonly participant: string
  readonly source: PictureSource
  private readonly counters: SelectionCounters
  private readonly onChanged: () => void
  private readonly renditions = new Map<number, Rendition>()
  private readonly change = new RenditionSwitch()
  private active: Member | null = null
  private awaited: Member | null = null
  private step: Step | null = null
  private wanted: Step | null = null

  /** @param onChanged what it is chosen by is not as before: to be chosen anew soon */
  constructor(
    participant: string,
    source: PictureSource,
    counters: SelectionCounters,
    onChanged: () => void,
  ) {
    this.participant = participant
    this.source = source
    this.counters = counters
    this.onChanged = onChanged
  }

  get isEmpty(): boolean {
    return this.renditions.size === 0
  }

  // ---- subscriptions

  /** @returns false when the receiver has a subscription to this rendition already */
  add(member: Member): boolean {
    const { rendition } = member.offer
    if (this.renditions.has(rendition)) return false
    this.renditions.set(rendition, {
      member,
      askedAt: Number.NEGATIVE_INFINITY,
      silentAt: Number.NEGATIVE_INFINITY,
    })
    member.choice = this
    member.want(0)
    return true
  }

  remove(member: Member): void {
    const { rendition } = member.offer
    if (this.renditions.get(rendition)?.member !== member) return
    this.renditions.delete(rendition)
    this.leave(member)
    member.choice = null
  }

  /** It wants objects, or none any more. */
  onForward(member: Member): void {
    if (!member.forwarding) this.leave(member)
    this.onChanged()
  }

  /** The subscriptions were forwarded before they were chosen: the largest that goes out stays. */
  adopt(now: number): void {
    let best: Rendition | null = null
    for (const rendition of this.renditions.values()) {
      const { member } = rendition
      if (!member.isOpen || !member.forwarding) continue
      if (!best || member.offer.rendition > best.member.offer.rendition) best = rendition
    }
    if (best) {
      this.active = best.member
      best.askedAt = now
      this.change.adopt(best.member.offer.rendition)
    }
    for (const { member } of this.renditions.values()) if (member !== this.active) member.stop()
    this.tellWanted()
  }

  /** Each is forwarded for itself again. */
  release(): void {
    for (const { member } of this.renditions.values()) {
      member.choice = null
      member.want(MAX_LAYERS)
    }
    this.renditions.clear()
  }

  // ---- choice

  /** Those that can be had, ascending. */
  offers(now: number): RenditionOffer[] {
    const all = [...this.renditions.values()].filter(({ member }) => member.forwarding)
    const heard = all.filter((rendition) => !this.isAvoided(rendition, now))
    return (heard.length > 0 ? heard : all)
      .sort((a, b) => a.member.offer.rendition - b.member.offer.rendition)
      .map(({ member }) => member.offer.at(now))
  }

  /** @param step null: nothing of it. @param wanted what it would have without a budget */
  choose(step: Step | null, wanted: Step | null, now: number): void {
    const layers = this.activeLayers
    this.step = step
    this.wanted = wanted
    if (step && !this.renditions.has(step.rendition)) return
    this.change.choose(step, now)
    if (!step) {
      this.awaited = null
      this.end()
    } else this.await(now)
    if (layers > 0 && this.activeLayers > 0) {
      count(this.counters.layerChanges, layers, this.activeLayers)
    }
    this.tellWanted()
  }

  /** Looks whether what is to come comes. @param now ms */
  watch(now: number): void {
    this.awaited?.askKeyFrame()
    if (this.renditions.size < 2) return
    this.listen(this.active, SILENT_MS, now)
    this.listen(this.awaited, SLOW_MS, now)
  }

  // ---- for each object

  isActive(member: Member): boolean {
    return member === this.active
  }

  isAwaited(member: Member): boolean {
    return member === this.awaited
  }

  passes(marking: number): boolean {
    return this.change.passes(this.change.current, chosenLayerOf(marking))
  }

  onKeyFrame(member: Member): void {
    const old = this.active
    this.change.onKeyFrame(member.offer.rendition)
    this.awaited = null
    this.active = member
    if (old) {
      count(this.counters.renditionSwitches, old.offer.rendition, member.offer.rendition)
      old.stop()
    }
    this.tellWanted()
  }

  // ----

  /** For a look inside. @param now ms */
  dump(now: number) {
    return {
      participant: this.participant,
      source: this.source,
      chosen: this.step,
      wanted: this.wanted,
      ...this.change.dump(now),
      renditions: [...this.renditions.values()].map((rendition) => ({
        rendition: rendition.member.offer.rendition,
        layerBits: rendition.member.offer.at(now).layerBits.map(Math.round),
        silent: this.isAvoided(rendition, now),
      })),
    }
  }

  private get activeLayers(): number {
    return this.change.current < 0 ? 0 : this.change.layersOf(this.change.current)
  }

  /** After the switch was told what to go to. */
  private await(now: number): void {
    const rendition = this.renditions.get(this.change.awaited)
    const before = this.awaited
    this.awaited = rendition?.member ?? null
    if (!rendition || rendition.member === before) return
    rendition.askedAt = now
    this.tellWanted()
    rendition.member.begin(this.active ? REWIND_MS : Number.POSITIVE_INFINITY)
  }

  /** Nothing goes out. */
  private end(): void {
    const { active } = this
    this.active = null
    active?.stop()
  }

  private leave(member: Member): void {
    this.change.onGone(member.offer.rendition)
    if (member === this.awaited) this.awaited = null
    // What is queued is still sent.
    if (member === this.active) this.active = null
    member.want(0)
    this.onChanged()
  }

  private tellWanted(): void {
    for (const { member } of this.renditions.values()) {
      member.want(member.forwarding ? this.change.layersOf(member.offer.rendition) : 0)
    }
  }

  private listen(member: Member | null, patienceMs: number, now: number): void {
    const rendition = member && this.renditions.get(member.offer.rendition)
    if (!rendition) return
    const since = Math.max(rendition.member.offer.lastAt, rendition.askedAt)
    if (now - since < patienceMs || this.isAvoided(rendition, now)) return
    rendition.silentAt = now
    this.onChanged()
  }

  private isAvoided({ member, silentAt }: Rendition, now: number): boolean {
    return member.offer.lastAt < silentAt && now - silentAt < AVOID_MS
  }
}

function count(counter: { up: number; down: number }, before: number, after: number): void {
  if (before !== after) counter[after > before ? 'up' : 'down']++
}
