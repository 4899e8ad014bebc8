import { formatNamespace, type Namespace } from '../../moq/wire/names.ts'

/** Entries of one run; a longer one is cut in two. */
const RUN = 256

interface Entry<Value> {
  readonly name: string
  readonly value: Value
}

/**
 * What the names of all namespaces and tracks under a prefix begin with, and no others: the text forms
 * of `namespaceText` and `formatTrack`.
 */
export function headOf(prefix: Namespace): string {
  return prefix.length === 0 ? '' : namespaceText(prefix)
}

/** A namespace as such a name: `room-ann-`. */
export function namespaceText(namespace: Namespace): string {
  return `${formatNamespace(namespace)}-`
}

/**
 * Values by name, in the order of the names: those whose names begin alike stand together, and are
 * found one by one, however many others there are and whatever comes and goes meanwhile.
 */
export class SortedNames<Value> {
  /** Sorted, none empty. */
  private readonly runs: Entry<Value>[][] = []

  /** @param name not there yet */
  add(name: string, value: Value): void {
    const run = this.runs[this.runAt(name)]
    if (!run) {
      this.runs.push([{ name, value }])
      return
    }
    run.splice(placeIn(run, name), 0, { name, value })
    if (run.length > RUN) this.runs.splice(this.runs.indexOf(run) + 1, 0, run.splice(RUN / 2))
  }

  delete(name: string): void {
    const at = this.runAt(name)
    const run = this.runs[at]
    const place = run ? placeIn(run, name) : -1
    if (run?.[place]?.name !== name) return
    run.splice(place, 1)
    if (run.length === 0) this.runs.splice(at, 1)
  }

  /**
   * The first whose name begins with `head`, or the first of them behind `after`.
   * @param after null, or a name that begins with `head`; it need not be there
   */
  next(head: string, after: string | null): Entry<Value> | null {
    const from = after ?? head
    let at = this.runAt(from)
    let run = this.runs[at]
    let place = run ? placeIn(run, from) : 0
    if (after !== null && run?.[place]?.name === after) place++
    if (run && place === run.length) {
      run = this.runs[++at]
      place = 0
    }
    const found = run?.[place]
    return found?.name.startsWith(head) ? found : null
  }

  /** A copy: all whose names begin with `head`. */
  list(head: string): Value[] {
    const found: Value[] = []
    for (let entry = this.next(head, null); entry; entry = this.next(head, entry.name)) {
      found.push(entry.value)
    }
    return found
  }

  /** The last run that begins at or before the name, else the first. */
  private runAt(name: string): number {
    let low = 0
    let high = this.runs.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.runs[middle]![0]!.name <= name) low = middle
      else high = middle
    }
    return low
  }
}

/** Where the name is, or would be. */
function placeIn(run: readonly { readonly name: string }[], name: string): number {
  let low = 0
  let high = run.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (run[middle]!.name < name) low = middle + 1
    else high = middle
  }
  return low
}
