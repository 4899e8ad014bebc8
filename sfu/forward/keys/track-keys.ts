import { createMutableHeader, parseHeader } from '../../../sframe/header.ts'
import type { CounterVerdict } from './counter-window.ts'
import { KeyPhase } from './key-phase.ts'
import { epochOf, epochsAhead, leafOf } from './kid.ts'
import type { LeafClaim } from './leaf-claims.ts'
import { type KeyTrouble, type KeyTroubleCounters, keyTroubleCounters } from './troubles.ts'

/** The object is not to be forwarded: its header is not one of this track's. */
export const REFUSED = -1
/** Of objects under an old KID that no object had before a newer one came. */
const BEFORE_ALL = 0

/** How long objects of an old KID still flow, ms: receivers keep the keys of an old epoch for so long. */
export const OVERLAP_MS = 10_000
/** A KID of no newer epoch is the current one after so long without an object of that, ms. */
export const RESTART_MS = 1000
/** Old KIDs that are remembered. */
const MAX_OLD = 2

/** The publisher, as one of its tracks knows it. */
export interface KeyOwner {
  claim(epoch: number, leaf: number, now: number): LeafClaim | 'foreign-leaf' | 'leaf-conflict'
  /** Objects of a track come under another KID than before, which is the current one now. */
  onEpoch(epoch: number, now: number): void
  /** A refused object; by reason. */
  onTrouble(trouble: KeyTrouble): void
}

/** Every header of the relay is parsed here, one after the other. */
const header = createMutableHeader()

/**
 * Follows the SFrame headers of one track: its KIDs as key phases that overlap, and the counters of
 * each. It reads headers only, allocates nothing for an object of a known KID, and never throws.
 */
export class TrackKeys {
  /** Refused objects, by reason. */
  readonly troubles: KeyTroubleCounters = keyTroubleCounters()
  private readonly owner: KeyOwner
  private current: KeyPhase | null = null
  /** When the current phase began, ms. */
  private begunAt = 0
  /** Newest first. */
  private readonly old: KeyPhase[] = []
  private generations = BEFORE_ALL

  constructor(owner: KeyOwner) {
    this.owner = owner
  }

  /** The newest generation: a key frame of an older one comes too late to begin with. */
  get generation(): number {
    return this.generations
  }

  /**
   * Reads the header of an object that is new to the relay, in the order of arrival.
   * @param bytes with the payload, that begins at `offset`
   * @param now ms
   * @returns the generation of its key phase, larger for a newer one, or `REFUSED`. A generation ends
   *   where a KID does and after each trouble with the counters of the current KID: whoever forwards
   *   waits for a key frame of the next one. Objects of an old KID keep theirs.
   */
  read(bytes: Uint8Array, offset: number, now: number): number {
    if (!parseHeader(bytes, offset, header)) return this.refuse('unreadable')
    const { kidHigh, kidLow } = header
    let phase = this.current
    if (phase === null || !phase.is(kidHigh, kidLow)) {
      phase = this.findOld(kidHigh, kidLow, now)
      if (phase === null) {
        const { owner } = this
        const claim = owner.claim(epochOf(kidLow), leafOf(kidLow), now)
        if (typeof claim === 'string') return this.refuse(claim)
        phase = this.begin(kidHigh, kidLow, claim, now)
      }
    }
    if (phase.claim.lost && !this.claimAnew(phase, now)) return this.refuse('leaf-conflict')
    if (phase !== this.current && now - this.begunAt > OVERLAP_MS) return this.refuse('stale')
    const verdict = phase.counters.take(header.ctrHigh, header.ctrLow)
    if (verdict !== 'fresh') return this.counterTrouble(phase, verdict)
    phase.objects++
    phase.usedAt = now
    phase.claim.usedAt = now
    return phase.generation
  }

  /** For a look inside: the KIDs, newest first, and what was refused. */
  dump() {
    const phases = this.current ? [this.current, ...this.old] : []
    return {
      generation: this.generations,
      phases: phases.map((phase) => phase.dump()),
      troubles: { ...this.troubles },
    }
  }

  private findOld(kidHigh: number, kidLow: number, now: number): KeyPhase | null {
    for (const phase of this.old) {
      if (!phase.is(kidHigh, kidLow)) continue
      if (this.isNewer(phase.epoch) || this.isCurrentSilent(now)) this.becomeCurrent(phase, now)
      return phase
    }
    return null
  }

  /** A KID that is not known. */
  private begin(kidHigh: number, kidLow: number, claim: LeafClaim, now: number): KeyPhase {
    let phase = this.old.length === MAX_OLD ? this.old.pop()! : null
    if (phase) phase.begin(kidHigh, kidLow, claim, now)
    else phase = new KeyPhase(kidHigh, kidLow, claim, now)
    if (this.isNewer(phase.epoch) || this.isCurrentSilent(now)) this.becomeCurrent(phase, now)
    else this.old.push(phase)
    return phase
  }

  private becomeCurrent(phase: KeyPhase, now: number): void {
    const at = this.old.indexOf(phase)
    if (at >= 0) this.old.splice(at, 1)
    if (this.current) this.old.unshift(this.current)
    this.current = phase
    this.begunAt = now
    phase.usedAt = now
    phase.generation = ++this.generations
    this.owner.onEpoch(phase.epoch, now)
  }

  private isNewer(epoch: number): boolean {
    return this.current === null || epochsAhead(epoch, this.current.epoch) > 0
  }

  private isCurrentSilent(now: number): boolean {
    return this.current !== null && now - this.current.usedAt > RESTART_MS
  }

  /** Another participant took the leaf; it may have gone since. */
  private claimAnew(phase: KeyPhase, now: number): boolean {
    const claim = this.owner.claim(phase.epoch, leafOf(phase.kidLow), now)
    if (typeof claim === 'string') return false
    phase.claim = claim
    return true
  }

  private counterTrouble(phase: KeyPhase, verdict: Exclude<CounterVerdict, 'fresh'>): number {
    // Of an old KID only the object is lost: what it is missed for is found by its gap.
    if (phase === this.current) phase.generation = ++this.generations
    return this.refuse(verdict)
  }

  private refuse(trouble: KeyTrouble): number {
    this.troubles[trouble]++
    this.owner.onTrouble(trouble)
    return REFUSED
  }
}
