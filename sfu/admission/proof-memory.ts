/**
 * The proofs of keys that were taken, as long as they are fresh: each holds once (RFC 9449 section 11.1).
 * Full, it takes no further ones, because what it would forget could be used again.
 */

export interface ProofMemoryOptions {
  /** ms since 1970. */
  readonly wallClock: () => number
  /** How long a proof is remembered, ms. */
  readonly forMs: number
  /** Proofs remembered, of one key and in all. */
  readonly perKey?: number
  readonly inAll?: number
}

const PER_KEY = 64
const IN_ALL = 65_536

interface Entry {
  readonly thumbprint: string
  readonly until: number
}

export class ProofMemory {
  readonly #options: ProofMemoryOptions
  /** In the order in which they came, which is that of their ends. */
  readonly #entries = new Map<string, Entry>()
  readonly #byKey = new Map<string, number>()

  constructor(options: ProofMemoryOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /** Remembers a proof by its key and its `jti`; says when it is known, or has no room. */
  take(thumbprint: string, proofId: string): 'new' | 'known' | 'full' {
    const { wallClock, forMs, perKey = PER_KEY, inAll = IN_ALL } = this.#options
    const now = wallClock()
    this.#forget(now)
    const name = `${thumbprint} ${proofId}`
    if (this.#entries.has(name)) return 'known'
    const ofKey = this.#byKey.get(thumbprint) ?? 0
    if (ofKey >= perKey || this.#entries.size >= inAll) return 'full'
    this.#entries.set(name, { thumbprint, until: now + forMs })
    this.#byKey.set(thumbprint, ofKey + 1)
    return 'new'
  }

  #forget(now: number): void {
    for (const [name, { thumbprint, until }] of this.#entries) {
      if (until >= now) return
      this.#entries.delete(name)
      const left = (this.#byKey.get(thumbprint) ?? 1) - 1
      if (left === 0) this.#byKey.delete(thumbprint)
      else this.#byKey.set(thumbprint, left)
    }
  }
}
