/**
 * Divides a budget among what a receiver has subscribed to. The order in which steps are granted is
 * fixed, whatever the budget: all sound, then a picture of everybody by rank, then better pictures by
 * rank, in turns among equals. A step that does not fit ends its source's way up, and what is left
 * goes to the next. So with a larger budget no step is lost but for one that comes earlier.
 */

import type { Step } from './ladder.ts'

/**
 * `audio` is granted beyond the budget, as a call without it is none. `front` is who speaks or is
 * pinned. Everybody has a picture before a screen has, and a screen is good before faces are better.
 */
export type Tier = 'audio' | 'front' | 'video' | 'screen'

const FIRST_STEPS: readonly Tier[] = ['audio', 'front', 'video', 'screen']
const FURTHER_STEPS: readonly Tier[] = ['audio', 'front', 'screen', 'video']

export interface Claim {
  readonly tier: Tier
  /** 0..255 within the tier, lower goes first. */
  readonly priority: number
  readonly ladder: readonly Step[]
  /** Highest step that may be granted, an index of the ladder; -1 for none. Default: the last. */
  readonly limit?: number
}

export interface Allocation {
  /** For each claim the step that it is granted, an index of its ladder, or -1. */
  readonly steps: readonly number[]
  /** Bits a second of all. */
  readonly bits: number
}

/** @param budget bits a second */
export function allocate(budget: number, claims: readonly Claim[]): Allocation {
  const steps = claims.map(() => -1)
  const order = claims.map((_, index) => index)
  let bits = 0

  /** @returns whether the claim goes one step up */
  const grant = (index: number): boolean => {
    const { tier, ladder, limit = ladder.length - 1 } = claims[index]!
    const at = steps[index]!
    if (at >= Math.min(limit, ladder.length - 1)) return false
    const more = ladder[at + 1]!.bits - (ladder[at]?.bits ?? 0)
    if (bits + more > budget && tier !== 'audio') return false
    bits += more
    steps[index] = at + 1
    return true
  }

  for (const index of order.toSorted(byRank(claims, FIRST_STEPS))) {
    // Sound is not had by halves.
    while (grant(index) && claims[index]!.tier === 'audio') {}
  }
  for (const equals of ranks(order.toSorted(byRank(claims, FURTHER_STEPS)), claims)) {
    // One that got no picture at all gets no further steps either.
    let climbing = equals.filter((index) => steps[index]! >= 0)
    while (climbing.length > 0) climbing = climbing.filter(grant)
  }
  return { steps, bits }
}

function byRank(claims: readonly Claim[], tiers: readonly Tier[]) {
  return (a: number, b: number): number =>
    tiers.indexOf(claims[a]!.tier) - tiers.indexOf(claims[b]!.tier) ||
    claims[a]!.priority - claims[b]!.priority ||
    a - b
}

/** Splits sorted claims where tier or priority change. */
function ranks(sorted: readonly number[], claims: readonly Claim[]): number[][] {
  const groups: number[][] = []
  for (const index of sorted) {
    const { tier, priority } = claims[index]!
    const last = groups.at(-1)
    const first = last && claims[last[0]!]!
    if (first && first.tier === tier && first.priority === priority) last.push(index)
    else groups.push([index])
  }
  return groups
}
