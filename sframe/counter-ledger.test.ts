import { describe, expect, it } from 'vitest'
import { CounterLedger, fingerprintOf } from './counter-ledger.ts'
import { suites } from './suites.ts'
import { codeOf, providers } from './testing.ts'

const all = { first: 0, last: 100 }

describe('counter ledger', () => {
  it('gives counters of a key out once, and later ones to a later sender (RFC 9605 section 9.1)', async () => {
    const ledger = new CounterLedger()
    ledger.take('a', 1, { first: 5, last: 9 })
    for (const range of [all, { first: 9, last: 20 }, { first: 0, last: 4 }]) {
      expect(await codeOf(() => ledger.take('a', 1, range))).toBe('kid-in-use')
    }
    ledger.take('a', 1, { first: 10, last: 20 })
    ledger.take('a', 2, all)
    ledger.take('b', 1, all)
  })

  it('takes unused counters back once', async () => {
    const ledger = new CounterLedger()
    const first = ledger.take('a', 1, all)
    first.release(7)
    const second = ledger.take('a', 1, { first: 7, last: 100 })
    first.release(7)
    expect(await codeOf(() => ledger.take('a', 1, { first: 7, last: 100 }))).toBe('kid-in-use')
    second.release(7)
    ledger.take('a', 1, { first: 7, last: 100 })
  })

  it('leaves the counters of a later sender alone', async () => {
    const ledger = new CounterLedger()
    const first = ledger.take('a', 1, all)
    ledger.take('a', 1, { first: 101, last: 200 })
    first.release(0)
    expect(await codeOf(() => ledger.take('a', 1, { first: 101, last: 200 }))).toBe('kid-in-use')
  })

  it('remembers as many keys as its limit says, those taken last', async () => {
    const ledger = new CounterLedger(3)
    for (let kid = 0; kid < 4; kid++) ledger.take('a', kid, all)
    for (const kid of [1, 2, 3]) {
      expect(await codeOf(() => ledger.take('a', kid, all))).toBe('kid-in-use')
    }
    ledger.take('a', 0, all)
  })

  it('tells base keys and suites apart in the same way with every provider', async () => {
    const seen = new Set<string>()
    for (const provider of providers) {
      for (const suite of [suites.AES_128_CTR_HMAC_SHA256_80, suites.AES_128_CTR_HMAC_SHA256_64]) {
        for (const fill of [1, 2]) {
          const secret = await provider.importSecret(suite, new Uint8Array(48).fill(fill))
          seen.add(await fingerprintOf(secret, suite))
        }
      }
    }
    expect(seen.size).toBe(4)
  })
})
