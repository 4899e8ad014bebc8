/** Beyond this many a subscriber may see a subgroup that it stopped opened again. */
const MOST = 256

/** Subgroups whose streams a subscriber stopped (draft-18 section 11.4.3); the oldest goes first. */
export class StoppedSubgroups {
  private readonly names = new Set<string>()

  has(group: number, subgroup: number): boolean {
    return this.names.size > 0 && this.names.has(`${group}/${subgroup}`)
  }

  add(group: number, subgroup: number): void {
    this.names.add(`${group}/${subgroup}`)
    if (this.names.size <= MOST) return
    for (const oldest of this.names) {
      this.names.delete(oldest)
      return
    }
  }

  clear(): void {
    this.names.clear()
  }
}
