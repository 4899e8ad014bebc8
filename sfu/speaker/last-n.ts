/** Of whom a subscriber may be shown. */
export interface Candidates {
  /** The newest first. */
  readonly speakers: Iterable<string>
  /** Whom the subscriber always wants, the most wanted first. */
  readonly pins?: Iterable<string>
  /** Everybody else who is there, in an order that does not change: they fill what is left. */
  readonly others?: Iterable<string>
  /** The subscriber, who takes no place. */
  readonly self?: string
}

/**
 * Whose video a subscriber gets, when it can show `n`: whom it pinned, then who spoke last, then the
 * others. Pure.
 */
export function lastN(
  { pins = [], speakers, others = [], self }: Candidates,
  n: number,
): Set<string> {
  const chosen = new Set<string>()
  for (const list of [pins, speakers, others]) {
    for (const participant of list) {
      if (chosen.size >= n) return chosen
      if (participant !== self) chosen.add(participant)
    }
  }
  return chosen
}
