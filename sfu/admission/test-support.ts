/** For tests: a clock that only a test moves, and an issuer with its keys. */

import { ManualClock } from '../../moq/session/manual-clock.ts'
import { findKey, type KeySet, parseJwks } from './jwks.ts'
import { jwksOf, type SigningKey } from './make-token.ts'
import type { IssuerKeys } from './tokens.ts'

export const START = Date.UTC(2030, 0, 1)

/** With a wall clock that goes with it. */
export class TestClock extends ManualClock {
  readonly wallClock = (): number => START + this.now()
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
