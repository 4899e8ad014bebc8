import { DecodeChain } from './decode-chain.ts'
import { type GatedObject, isBaseLayer, startsKeyFrame } from './marking.ts'
import type { GateVerdict } from './verdict.ts'

/**
 * The gate of one subscriber on one video track: nothing passes that the subscriber cannot decode from
 * what passed before. It is closed at first, and closes with `close`, with a new key generation, and
 * when a base frame is missing or lost; it opens at the next key frame of the newest generation. The
 * tail of a group still passes when the next group has begun, so that objects under an old epoch flow
 * during the overlap. Some numbers a subscriber; nothing is allocated for an object.
 */
export class KeyFrameGate {
  private current = new DecodeChain()
  private previous = new DecodeChain()
  private newest = 0

  /** Whether base frames pass: no key frame has to come first. */
  get isOpen(): boolean {
    return !this.current.broken && this.current.generation === this.newest
  }

  /** Group of the last key frame that passed, or -1. */
  get group(): number {
    return this.current.group
  }

  /** Judges an object that is new to the track. One that is not sent after all is to be `lost`. */
  decide(object: GatedObject): GateVerdict {
    const { group, generation, marking } = object
    if (generation < 0) return 'keys'
    if (startsKeyFrame(marking)) return this.enter(object)
    if (generation > this.newest) this.newest = generation
    const chain = this.find(group)
    if (chain && chain.generation === generation) return chain.take(object)
    if (group < this.current.group || generation < this.newest) return 'late'
    return isBaseLayer(marking) ? 'key-frame' : 'base'
  }

  /**
   * An object that passed does not reach the subscriber.
   * @returns whether only a key frame helps
   */
  lost(object: GatedObject): boolean {
    const chain = this.find(object.group)
    if (!chain) return false
    chain.lose(object)
    return chain === this.current && chain.broken
  }

  /**
   * The subscriber's stream of a subgroup was given up.
   * @returns whether only a key frame helps
   */
  subgroupLost(group: number, subgroup: number): boolean {
    const chain = this.find(group)
    if (!chain) return false
    chain.loseSubgroup(subgroup)
    return chain === this.current && chain.broken
  }

  /** Whether an object that passed, and waits, is worth sending: what it builds on was not lost since. */
  isUseful(object: GatedObject): boolean {
    return this.find(object.group)?.isUseful(object) ?? false
  }

  /** The subscriber has another rendition, or let go of what it had. */
  close(): void {
    this.current.clear()
    this.previous.clear()
  }

  /** What can be seen of it from outside. */
  dump() {
    return { open: this.isOpen, group: this.group, generation: this.current.generation }
  }

  private enter(object: GatedObject): GateVerdict {
    const { group, generation } = object
    if (group < this.current.group || generation < this.newest) return 'late'
    this.newest = generation
    if (group > this.current.group) {
      const { previous } = this
      this.previous = this.current
      this.current = previous
    }
    this.current.open(object)
    return 'forward'
  }

  private find(group: number): DecodeChain | null {
    if (this.current.group === group) return this.current
    return this.previous.group === group ? this.previous : null
  }
}
