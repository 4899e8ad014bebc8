/** Groups that are remembered; an object of an older one counts as new. */
const MAX_GROUPS = 256

/** Which objects of a track have come, so that one that comes twice is told. */
export class SeenObjects {
  private readonly groups = new Map<number, Set<number>>()

  /** @returns false for one that came before */
  add(group: number, object: number): boolean {
    let objects = this.groups.get(group)
    if (objects === undefined) {
      objects = new Set()
      this.groups.set(group, objects)
      if (this.groups.size > MAX_GROUPS) this.groups.delete(this.groups.keys().next().value!)
    }
    if (objects.has(object)) return false
    objects.add(object)
    return true
  }
}
