import type { ForwardObject } from './object.ts'

/** Says that the subgroup ends here. */
export const END = null

/**
 * First in, first out, for one traffic class: a ring of pairs in two arrays, so that queueing
 * allocates nothing once it has grown to its working size.
 */
export class EgressQueue<Target> {
  private targets: (Target | undefined)[] = new Array(16)
  private objects: (ForwardObject | null)[] = new Array(16).fill(END)
  private head = 0
  private count = 0

  get length(): number {
    return this.count
  }

  push(target: Target, object: ForwardObject | null): void {
    if (this.count === this.targets.length) this.grow()
    const at = (this.head + this.count) & (this.targets.length - 1)
    this.targets[at] = target
    this.objects[at] = object
    this.count++
  }

  /** The oldest entry's target; only while `length > 0`. */
  get target(): Target {
    return this.targets[this.head]!
  }

  /** The oldest entry's object, or `END`. */
  get object(): ForwardObject | null {
    return this.objects[this.head] ?? END
  }

  drop(): void {
    this.targets[this.head] = undefined
    this.objects[this.head] = END
    this.head = (this.head + 1) & (this.targets.length - 1)
    this.count--
  }

  private grow(): void {
    const size = this.targets.length
    const targets: (Target | undefined)[] = new Array(size * 2)
    const objects: (ForwardObject | null)[] = new Array(size * 2).fill(END)
    for (let i = 0; i < this.count; i++) {
      targets[i] = this.targets[(this.head + i) & (size - 1)]
      objects[i] = this.objects[(this.head + i) & (size - 1)]!
    }
    this.targets = targets
    this.objects = objects
    this.head = 0
  }
}
