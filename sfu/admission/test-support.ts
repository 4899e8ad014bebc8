/** For tests: a clock that only a test moves, and an issuer with its keys. */

import type { Clock } from '../../moq/session/index.ts'
import { findKey, type KeySet, parseJwks } from './jwks.ts'
import { jwksOf, type SigningKey } from './make-token.ts'
import type { IssuerKeys } from './tokens.ts'

export const START = Date.UTC(2030, 0, 1)

export class TestClock implements Clock {
  #time = 0
  #tasks: { at: number; task: () => void }[] = []

  now(): number {
    return this.#time
  }

  readonly wallClock = (): number => START + this.#time

  get timers(): number {
    return this.#tasks.length
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#time + ms, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry)
    }
  }

  advance(ms: number): void {
    this.#time += ms
    for (;;) {
      const due = this.#tasks.find(({ at }) => at <= this.#time)
      if (!due) return
      this.#tasks = this.#tasks.filter((other) => other !== due)
      due.task()
    }
  }
}

/** Keys that a test lists and removes. */
export class TestIssuer implements IssuerKeys {
  #keys: KeySet = []

  async list(...keys: readonly SigningKey[]): Promise<void> {
    this.#keys = keys.length === 0 ? [] : await parseJwks(JSON.stringify(jwksOf(...keys)), 'jwks')
  }

  async find(...[algorithm, keyId]: Parameters<IssuerKeys['find']>) {
    return findKey(this.#keys, algorithm, keyId)
  }

  holds(thumbprint: string): boolean {
    return this.#keys.some((key) => key.thumbprint === thumbprint)
  }
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
