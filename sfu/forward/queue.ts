import type { ForwardObject } from './object.ts'

/**
 * First in, first out: a ring in an array, so that queueing allocates nothing once it has grown to
 * its working size.
 */
export class ObjectQueue {
  private objects: (ForwardObject | null)[] = new Array(8).fill(null)
  private head = 0
  private count = 0

  push(object: ForwardObject): void {
    if (this.count === this.objects.length) this.grow()
    this.objects[(this.head + this.count) & (this.objects.length - 1)] = object
    this.count++
  }

  /** Takes the oldest, or null. */
  shift(): ForwardObject | null {
    if (this.count === 0) return null
    const object = this.objects[this.head]!
    this.objects[this.head] = null
    this.head = (this.head + 1) & (this.objects.length - 1)
    this.count--
    return object
  }

  private grow(): void {
    const size = this.objects.length
    const objects: (ForwardObject | null)[] = new Array(size * 2).fill(null)
    for (let i = 0; i < size; i++) objects[i] = this.objects[(this.head + i) & (size - 1)]!
    this.objects = objects
    this.head = 0
  }
}
