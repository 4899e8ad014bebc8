/** Sorted, disjoint, inclusive ranges of ids; touching ranges are one. `to` may be infinite. */
export class RangeSet {
  private readonly from: number[] = []
  private readonly to: number[] = []

  get length(): number {
    return this.from.length
  }

  /** @returns by how many the number of ranges changed */
  add(from: number, to: number): number {
    const before = this.from.length
    // The first range that the new one touches, and the first behind it that it does not.
    const first = this.search(from - 1)
    let next = first
    while (next < before && this.from[next]! <= to + 1) next++
    if (next === first) {
      this.from.splice(first, 0, from)
      this.to.splice(first, 0, to)
      return 1
    }
    this.from[first] = Math.min(from, this.from[first]!)
    this.to[first] = Math.max(to, this.to[next - 1]!)
    this.from.splice(first + 1, next - first - 1)
    this.to.splice(first + 1, next - first - 1)
    return this.from.length - before
  }

  has(id: number): boolean {
    const index = this.search(id)
    return index < this.from.length && this.from[index]! <= id
  }

  /** The last id of the range that holds `id`, or -1 when none does. */
  endAt(id: number): number {
    const index = this.search(id)
    return index < this.from.length && this.from[index]! <= id ? this.to[index]! : -1
  }

  /** The first id of the range that holds `id`, or -1 when none does. */
  startAt(id: number): number {
    const index = this.search(id)
    return index < this.from.length && this.from[index]! <= id ? this.from[index]! : -1
  }

  /** The last id of the nearest range below `id`, which is in none; -1 when there is none. */
  previousTo(id: number): number {
    return this.to[this.search(id) - 1] ?? -1
  }

  /** The first id of the next range at or behind `id`, or infinity. */
  nextFrom(id: number): number {
    const index = this.search(id)
    return index < this.from.length ? this.from[index]! : Number.POSITIVE_INFINITY
  }

  /** Index of the first range that ends at or behind `id`. */
  private search(id: number): number {
    let low = 0
    let high = this.to.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.to[middle]! < id) low = middle + 1
      else high = middle
    }
    return low
  }
}
