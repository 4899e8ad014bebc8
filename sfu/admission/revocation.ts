/**
 * Tokens and participants whose right was taken away before its time. An entry lives until the
 * token would have expired by itself; in memory only, so a restart forgets it.
 */

export type Revoked =
  | { readonly kind: 'token'; readonly tokenId: string }
  /** Every token of this participant of this room, also one that is issued later. */
  | { readonly kind: 'participant'; readonly room: string; readonly participant: string }

/** What of an admission a revocation may name. */
export interface Revocable {
  readonly room: string
  readonly participant: string
  /** `jti`; a token without one can only be revoked by its participant. */
  readonly tokenId: string | null
}

/** An entry of the list. */
export interface RevokedUntil {
  readonly revoked: Revoked
  /** ms since 1970; Infinity: as long as the relay runs. */
  readonly until: number
}

const DEFAULT_MAX_ENTRIES = 10_000

export class Revocations {
  readonly #maxEntries: number
  readonly #entries = new Map<string, RevokedUntil>()
  readonly #listeners = new Set<() => void>()

  constructor(maxEntries: number = DEFAULT_MAX_ENTRIES) {
    this.#maxEntries = maxEntries
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * @param until ms since 1970: the latest expiry of what is revoked; a later one extends an entry
   * @returns false where the list is full: nothing is forgotten to make room, since that would let
   * somebody back in
   */
  revoke(revoked: Revoked, until: number, now: number): boolean {
    if (until <= now) return true
    const key = keyOf(revoked)
    const known = this.#entries.get(key)
    if (known === undefined && !this.#hasRoom(now)) return false
    this.#entries.set(key, { revoked, until: Math.max(until, known?.until ?? 0) })
    for (const listener of this.#listeners) listener()
    return true
  }

  /** @param now ms since 1970 */
  covers(right: Revocable, now: number): boolean {
    const { tokenId, room, participant } = right
    if (tokenId !== null && this.#holds({ kind: 'token', tokenId }, now)) return true
    return this.#holds({ kind: 'participant', room, participant }, now)
  }

  /** What holds now. */
  list(now: number): RevokedUntil[] {
    return [...this.#entries.values()].filter(({ until }) => until > now)
  }

  /** Calls `listener` after each revocation, so that running sessions are looked at again. */
  onRevoked(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #holds(revoked: Revoked, now: number): boolean {
    const key = keyOf(revoked)
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    if (entry.until > now) return true
    this.#entries.delete(key)
    return false
  }

  #hasRoom(now: number): boolean {
    if (this.#entries.size < this.#maxEntries) return true
    for (const [key, { until }] of this.#entries) if (until <= now) this.#entries.delete(key)
    return this.#entries.size < this.#maxEntries
  }
}

/** Unambiguous whatever the ids contain. */
function keyOf(revoked: Revoked): string {
  return revoked.kind === 'token'
    ? JSON.stringify([revoked.tokenId])
    : JSON.stringify([revoked.room, revoked.participant])
}
