/**
 * Who may send next. What waits in a session stands in ranks: by traffic class, then by subscriber
 * priority, then by publisher priority (draft-18 section 7.2, rules 1 and 2). Within a rank the
 * subscriptions and fetches take turns, so that each of them sends something (section 7.2, end).
 */

import { Heap } from './heap.ts'

/** One of those that take turns: a subscription's share of a rank, or a fetch. */
export abstract class Turn {
  /** Where it stands; null while it has nothing to send. Set by `TurnQueue`, as the two links. */
  rank: Rank | null = null
  next: Turn | null = null
  previous: Turn | null = null
}

export class Rank {
  /** As `rankNumber` gives it: the lower, the earlier. */
  readonly number: number
  /** Whose turn it is; the others follow in a ring. */
  head: Turn | null = null
  /** Index in the heap. */
  at = -1

  constructor(number: number) {
    this.number = number
  }
}

/** @param traffic class; both priorities 0..255, lower goes first */
export function rankNumber(traffic: number, subscriber: number, publisher: number): number {
  return (traffic << 16) | (subscriber << 8) | publisher
}

/** The class that a rank is of. */
export function trafficOfRank(number: number): number {
  return number >> 16
}

/** Ranks that stay when nobody stands in them; more are made and dropped. */
const KEPT_RANKS = 32

export class TurnQueue {
  private readonly ranks = new Map<number, Rank>()
  private readonly waiting = new RankHeap()
  private count = 0

  get isEmpty(): boolean {
    return this.count === 0
  }

  /** Whose turn it is, or null. */
  get first(): Turn | null {
    return this.waiting.top?.head ?? null
  }

  /** Puts a turn behind the others of a rank. @param turn stands nowhere */
  enter(turn: Turn, number: number): void {
    let rank = this.ranks.get(number)
    if (!rank) {
      rank = new Rank(number)
      this.ranks.set(number, rank)
    }
    turn.rank = rank
    this.count++
    const { head } = rank
    if (!head) {
      turn.next = turn
      turn.previous = turn
      rank.head = turn
      this.waiting.add(rank)
      return
    }
    const last = head.previous!
    turn.previous = last
    turn.next = head
    last.next = turn
    head.previous = turn
  }

  /** It has nothing to send any more. No effect when it stands nowhere. */
  leave(turn: Turn): void {
    const { rank } = turn
    if (!rank) return
    this.count--
    turn.rank = null
    if (turn.next === turn) {
      rank.head = null
      this.waiting.remove(rank.at)
      if (this.ranks.size > KEPT_RANKS) this.ranks.delete(rank.number)
    } else {
      turn.previous!.next = turn.next
      turn.next!.previous = turn.previous
      if (rank.head === turn) rank.head = turn.next
    }
    turn.next = null
    turn.previous = null
  }

  /** It had its turn: the next of its rank follows. */
  rotate(turn: Turn): void {
    turn.rank!.head = turn.next
  }

  /** All that stand somewhere, in no order. */
  list(): Turn[] {
    const turns: Turn[] = []
    for (const { head } of this.waiting.list()) {
      let turn = head!
      do {
        turns.push(turn)
        turn = turn.next!
      } while (turn !== head)
    }
    return turns
  }
}

class RankHeap extends Heap<Rank> {
  protected override before(a: Rank, b: Rank): boolean {
    return a.number < b.number
  }

  protected override placed(rank: Rank, at: number): void {
    rank.at = at
  }
}
