/**
 * Which participant of a room sends with which leaf of the MLS tree in which epoch, as far as headers
 * tell: the relay holds no roster. The first KID of a participant in an epoch fixes its leaf there; a
 * new epoch may bring it another one (it came in anew). Nobody authenticated what headers say, so two
 * participants may claim one leaf: who had it in the epoch before wins, then who is new to the relay,
 * then who comes first. A claim that is not used for a while holds nobody up: the room may have begun
 * another group, whose epochs count from the start.
 */

/** After this time without an object, ms, a claim may go to another. */
export const CLAIM_IDLE_MS = 2000
/** Epochs of a participant that are remembered. */
const MAX_CLAIMS = 4
const LEAVES = 4096

/** A leaf of one participant in one epoch. */
export class LeafClaim {
  readonly holder: LeafHolder
  readonly epoch: number
  readonly leaf: number
  readonly rank: number
  /** When an object came under it, ms. */
  usedAt: number
  /** It went to another participant, or was given up. */
  lost = false

  constructor(holder: LeafHolder, epoch: number, leaf: number, rank: number, now: number) {
    this.holder = holder
    this.epoch = epoch
    this.leaf = leaf
    this.rank = rank
    this.usedAt = now
  }

  isIdle(now: number): boolean {
    return this.lost || now - this.usedAt > CLAIM_IDLE_MS
  }
}

/** A participant, with its claims, the newest last. */
export interface LeafHolder {
  readonly claims: LeafClaim[]
}

const Rank = { MOVED: 0, NEW: 1, KEPT: 2 } as const

export class RoomLeaves {
  private readonly byKey = new Map<number, LeafClaim>()

  /** Claims held in the room; for a look inside. */
  get size(): number {
    return this.byKey.size
  }

  /** The participant's claim of the leaf in this epoch, or why it has none. */
  claim(
    holder: LeafHolder,
    epoch: number,
    leaf: number,
    now: number,
  ): LeafClaim | 'foreign-leaf' | 'leaf-conflict' {
    const own = ownClaim(holder, epoch)
    if (own) {
      if (own.leaf === leaf) return own
      if (!own.isIdle(now)) return 'foreign-leaf'
    }
    const rank = rankOf(holder, leaf)
    const key = epoch * LEAVES + leaf
    const other = this.byKey.get(key)
    if (other && !other.isIdle(now) && rank <= other.rank) return 'leaf-conflict'
    if (other) other.lost = true
    if (own) this.drop(own)
    const claim = new LeafClaim(holder, epoch, leaf, rank, now)
    this.byKey.set(key, claim)
    holder.claims.push(claim)
    if (holder.claims.length > MAX_CLAIMS) this.drop(holder.claims[0]!)
    return claim
  }

  /** The participant is gone. */
  release(holder: LeafHolder): void {
    while (holder.claims.length > 0) this.drop(holder.claims[0]!)
  }

  private drop(claim: LeafClaim): void {
    claim.lost = true
    const { claims } = claim.holder
    const at = claims.indexOf(claim)
    if (at >= 0) claims.splice(at, 1)
    const key = claim.epoch * LEAVES + claim.leaf
    if (this.byKey.get(key) === claim) this.byKey.delete(key)
  }
}

/** The newest one that it has not lost. */
function ownClaim({ claims }: LeafHolder, epoch: number): LeafClaim | null {
  for (let at = claims.length - 1; at >= 0; at--) {
    const claim = claims[at]!
    if (claim.epoch === epoch && !claim.lost) return claim
  }
  return null
}

function rankOf({ claims }: LeafHolder, leaf: number): number {
  let rank: number = Rank.NEW
  for (const claim of claims) {
    if (!claim.lost) rank = claim.leaf === leaf ? Rank.KEPT : Rank.MOVED
  }
  return rank
}
