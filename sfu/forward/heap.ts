/**
 * A binary heap: `top` is what goes first by the subclass's order. Adding what goes last, and taking
 * the only item, compare once or never. It keeps its array, so that a heap that has grown to its
 * working size allocates nothing.
 */
export abstract class Heap<T> {
  private readonly items: (T | undefined)[] = []
  private count = 0

  /** Whether `a` goes before `b`; false for equals. */
  protected abstract before(a: T, b: T): boolean

  /** Told of every item's index, for heaps whose items are removed from the middle. */
  protected placed(_item: T, _at: number): void {}

  get size(): number {
    return this.count
  }

  get top(): T | undefined {
    return this.items[0]
  }

  add(item: T): void {
    if (this.count === this.items.length) this.items.push(item)
    this.rise(item, this.count++)
  }

  /** @param at index of the item, 0..size-1 */
  remove(at: number): void {
    const last = this.items[--this.count]!
    this.items[this.count] = undefined
    if (at === this.count) return
    const parent = (at - 1) >> 1
    if (at > 0 && this.before(last, this.items[parent]!)) this.rise(last, at)
    else this.sink(last, at)
  }

  /** All items, in no order. */
  list(): T[] {
    const items: T[] = []
    for (let i = 0; i < this.count; i++) items.push(this.items[i]!)
    return items
  }

  /** Removes every item that `keeps` refuses. */
  retain(keeps: (item: T) => boolean): void {
    const kept = this.list().filter(keeps)
    this.items.fill(undefined)
    this.count = 0
    for (const item of kept) this.add(item)
  }

  private rise(item: T, from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = this.items[parent]!
      if (!this.before(item, above)) break
      this.put(above, at)
      at = parent
    }
    this.put(item, at)
  }

  private sink(item: T, from: number): void {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.count) break
      const right = child + 1
      if (right < this.count && this.before(this.items[right]!, this.items[child]!)) child = right
      const below = this.items[child]!
      if (!this.before(below, item)) break
      this.put(below, at)
      at = child
    }
    this.put(item, at)
  }

  private put(item: T, at: number): void {
    this.items[at] = item
    this.placed(item, at)
  }
}
