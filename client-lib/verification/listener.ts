/**
 * Statements of one participant: verified one at a time, the newest of each kind kept. A flood costs
 * one verification after the other, and nothing waits but the last one that came.
 */

import type { LeafSignatures } from './signatures.ts'
import { decodeStatement, type Row, STATEMENT_LABEL } from './statement.ts'

export interface Heard {
  readonly sequence: number
  readonly rows: readonly Row[]
  /** ms, monotonic. */
  readonly at: number
}

export class Listener {
  /** Statements that were none: forged, of somebody else, repeated. */
  refused = 0
  private readonly participantId: string
  private readonly signatures: LeafSignatures
  private readonly now: () => number
  private readonly onHeard: () => void
  /** Fingerprint of the key that our group has for the participant; null outside of it. */
  private expected: string | null = null
  private newest: Heard | null = null
  private strangerAt: number | null = null
  private waiting: Uint8Array | null = null
  private working: Promise<void> | null = null

  constructor(
    participantId: string,
    signatures: LeafSignatures,
    now: () => number,
    onHeard: () => void,
  ) {
    this.participantId = participantId
    this.signatures = signatures
    this.now = now
    this.onHeard = onHeard
  }

  /** The newest statement under the key that our group has for it. */
  get heard(): Heard | null {
    return this.newest
  }

  /** When the last one under another key came, ms. Anybody can make one: it proves nothing. */
  get otherKeyAt(): number | null {
    return this.strangerAt
  }

  expect(key: string | null): void {
    if (key === this.expected) return
    this.expected = key
    this.newest = null
    this.strangerAt = null
  }

  push(payload: Uint8Array): void {
    this.waiting = payload
    this.working ??= this.work().finally(() => {
      this.working = null
    })
  }

  idle(): Promise<void> {
    return this.working ?? Promise.resolve()
  }

  private async work(): Promise<void> {
    while (this.waiting !== null) {
      const payload = this.waiting
      this.waiting = null
      if (await this.take(payload)) this.onHeard()
      else this.refused++
    }
  }

  private async take(payload: Uint8Array): Promise<boolean> {
    try {
      const { statement, content, signature } = decodeStatement(payload)
      const { participantId, fingerprint, sequence, rows } = statement
      if (participantId !== this.participantId) return false
      const { expected } = this
      if (fingerprint !== expected) {
        this.strangerAt = this.now()
        return true
      }
      // Who repeats what somebody once said does not speak in its name now.
      if (sequence <= (this.newest?.sequence ?? -1)) return false
      const valid = await this.signatures.verify(participantId, STATEMENT_LABEL, content, signature)
      if (!valid || this.expected !== expected) return false
      this.newest = { sequence, rows, at: this.now() }
      return true
    } catch {
      // No statement, or we are in no group any more.
      return false
    }
  }
}
