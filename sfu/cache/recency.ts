/** A place in a `RecencyList`, kept by its owner so that moving it allocates nothing. */
export class Recency<Owner> {
  readonly owner: Owner
  list: RecencyList<Owner> | null = null
  previous: Recency<Owner> | null = null
  next: Recency<Owner> | null = null

  constructor(owner: Owner) {
    this.owner = owner
  }

  /** Takes it out of the list that it is in, if any. */
  leave(): void {
    this.list?.remove(this)
  }
}

/** Owners in order of their last use, the longest unused first. */
export class RecencyList<Owner> {
  private head: Recency<Owner> | null = null
  private tail: Recency<Owner> | null = null

  get oldest(): Owner | null {
    return this.head?.owner ?? null
  }

  /** The longest unused owner that is not `spared`. */
  oldestBut(spared: Owner | null): Owner | null {
    if (this.head?.owner !== spared) return this.oldest
    return this.head?.next?.owner ?? null
  }

  /** Makes it the one used last; takes it out of another list first. */
  touch(place: Recency<Owner>): void {
    if (this.tail === place) return
    place.list?.remove(place)
    place.list = this
    place.previous = this.tail
    if (this.tail) this.tail.next = place
    else this.head = place
    this.tail = place
  }

  remove(place: Recency<Owner>): void {
    if (place.previous) place.previous.next = place.next
    else this.head = place.next
    if (place.next) place.next.previous = place.previous
    else this.tail = place.previous
    place.list = null
    place.previous = null
    place.next = null
  }
}
