import type { CachedGroup } from './group.ts'

/** The groups of a track by ascending id. Most come in order, at the end. */
export class GroupList {
  private groups: CachedGroup[] = []

  find(id: number): CachedGroup | null {
    const found = this.groups[this.indexOf(id)]
    return found?.id === id ? found : null
  }

  /** @returns whether it is the last now */
  add(group: CachedGroup): boolean {
    const index = this.indexOf(group.id)
    if (index < this.groups.length) {
      this.groups.splice(index, 0, group)
      return false
    }
    this.groups.push(group)
    return true
  }

  /** Takes out those that are forgotten, all at once: one by one would cost too much. */
  compact(): void {
    this.groups = this.groups.filter(({ forgotten }) => !forgotten)
  }

  all(): readonly CachedGroup[] {
    return this.groups
  }

  /** Groups from one id to another, both inclusive. */
  *between(from: number, to: number): Generator<CachedGroup> {
    for (let i = this.indexOf(from); i < this.groups.length; i++) {
      const group = this.groups[i]!
      if (group.id > to) return
      yield group
    }
  }

  /** Id of the nearest group below, or -1. */
  below(id: number): number {
    return this.groups[this.indexOf(id) - 1]?.id ?? -1
  }

  /** Id of the nearest group at or above, or infinity. */
  from(id: number): number {
    return this.groups[this.indexOf(id)]?.id ?? Number.POSITIVE_INFINITY
  }

  private indexOf(id: number): number {
    const { groups } = this
    let high = groups.length
    if (high === 0 || groups[high - 1]!.id < id) return high
    let low = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      if (groups[middle]!.id < id) low = middle + 1
      else high = middle
    }
    return low
  }
}
