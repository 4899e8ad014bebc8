/**
 * Who has a place on a stage that is too small for all, without anybody moving needlessly: places are kept,
 * who comes sits behind, and who speaks out of sight takes the place of whoever was quiet for longest.
 */

export class Seating {
  /** Everybody, in the order of the tiles; who does not fit stands behind. */
  #order: string[] = []

  /**
   * @param present in the order in which they came
   * @param recent who speaks and who spoke, the newest first
   * @param speaking those of them who speak now
   * @param kept who keeps the place in any case
   * @param away who of them stands elsewhere now, and comes back to the same place
   * @returns those who have a place, in the order of their places
   */
  seat(
    present: readonly string[],
    places: number,
    recent: readonly string[] = [],
    speaking: ReadonlySet<string> = new Set(),
    kept: ReadonlySet<string> = new Set(),
    away: string | null = null,
  ): readonly string[] {
    const before = this.#order.filter((id) => present.includes(id))
    const all = [...before, ...present.filter((id) => !before.includes(id))]
    this.#order = all.filter((id) => id !== away)
    for (const id of recent) {
      const at = this.#order.indexOf(id)
      if (at >= places && speaking.has(id)) this.#bringIn(at, places, recent, speaking, kept)
    }
    const seated = this.#order.slice(0, places)
    if (away !== null && all.includes(away)) this.#order.splice(all.indexOf(away), 0, away)
    return seated
  }

  #bringIn(
    at: number,
    places: number,
    recent: readonly string[],
    speaking: ReadonlySet<string>,
    kept: ReadonlySet<string>,
  ): void {
    const quiet = this.#order
      .slice(0, places)
      .filter((id) => !kept.has(id) && !speaking.has(id))
      .toSorted((a, b) => compare(silence(b, recent), silence(a, recent)))
    const [leaves] = quiet
    if (leaves === undefined) return
    const place = this.#order.indexOf(leaves)
    this.#order[place] = this.#order[at]!
    this.#order[at] = leaves
  }
}

/** Grows with how long ago somebody spoke. */
function silence(id: string, recent: readonly string[]): number {
  const at = recent.indexOf(id)
  return at < 0 ? Number.POSITIVE_INFINITY : at
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b
}
