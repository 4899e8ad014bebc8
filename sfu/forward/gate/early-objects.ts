import type { GatedObject } from './marking.ts'
import type { GateVerdict } from './verdict.ts'

export interface EarlyLimits {
  /** How long an object waits, ms; longer than a lost packet of the publisher's takes to come again. */
  readonly maxMs: number
  readonly maxObjects: number
}

export const DEFAULT_EARLY_LIMITS: EarlyLimits = { maxMs: 120, maxObjects: 64 }

/**
 * Enhancement datagrams that came to the relay before what they build on: a base frame's stream waits
 * for a lost packet while datagrams go on. They are held for a moment, once for all subscribers, so
 * that no gate has to drop them. `JoinWindow.add` tells which they are.
 */
export class EarlyObjects<T extends GatedObject> {
  private readonly limits: EarlyLimits
  private waiting: { readonly object: T; readonly since: number }[] = []

  constructor(limits: EarlyLimits = DEFAULT_EARLY_LIMITS) {
    this.limits = limits
  }

  get size(): number {
    return this.waiting.length
  }

  /**
   * @param verdict of a subscriber that loses nothing
   * @returns whether the object waits; else it is to be offered to the gates as it is
   */
  hold(object: T, verdict: GateVerdict, now: number): boolean {
    if (verdict !== 'base' && verdict !== 'reference') return false
    // On a stream of its own, an object cannot leave its place.
    if (object.subgroup >= 0) return false
    this.expire(now)
    if (this.waiting.length >= this.limits.maxObjects) return false
    this.waiting.push({ object, since: now })
    return true
  }

  /**
   * An object passed: others may follow it.
   * @param offer judges a held object again; returns what a subscriber that loses nothing is told
   */
  release(now: number, offer: (object: T) => GateVerdict): void {
    this.expire(now)
    for (let passed = true; passed && this.waiting.length > 0; ) {
      const before = this.waiting
      this.waiting = []
      passed = false
      for (const entry of before) {
        const verdict = offer(entry.object)
        if (verdict === 'forward') passed = true
        else if (verdict === 'base' || verdict === 'reference') this.waiting.push(entry)
      }
    }
  }

  clear(): void {
    this.waiting = []
  }

  private expire(now: number): void {
    const { maxMs } = this.limits
    const first = this.waiting[0]
    if (!first || now - first.since <= maxMs) return
    this.waiting = this.waiting.filter(({ since }) => now - since <= maxMs)
  }
}
