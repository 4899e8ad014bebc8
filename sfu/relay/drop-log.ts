/** Why something was not sent to one subscriber, in a row for the same reason. */
export interface DropRun {
  readonly reason: string
  /** ms of the relay's clock. */
  readonly since: number
  until: number
  objects: number
}

/** Runs that are remembered. */
const MOST = 8

/** The last drops of one subscription, so that somebody can see why a picture is bad. */
export class DropLog {
  private readonly runs: DropRun[] = []

  /** @param at ms */
  note(reason: string, at: number): void {
    const last = this.runs.at(-1)
    if (last?.reason === reason) {
      last.until = at
      last.objects++
      return
    }
    if (this.runs.length === MOST) this.runs.shift()
    this.runs.push({ reason, since: at, until: at, objects: 1 })
  }

  /** The oldest first. */
  dump(): DropRun[] {
    return this.runs.map((run) => ({ ...run }))
  }
}
