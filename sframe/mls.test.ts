import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CounterLedger } from './counter-ledger.ts'
import { EPOCH_BITS, EpochSecret, LEAF_BITS, mlsKid, parseMlsKid } from './mls.ts'
import { suites } from './suites.ts'
import { codeOf, providers } from './testing.ts'
import { MAX_UINT64, toUInt64 } from './uint64.ts'

describe('KIDs of an MLS group', () => {
  it('hold context, leaf index and the low bits of the epoch (RFC 9605 section 5.2)', () => {
    expect([EPOCH_BITS, LEAF_BITS]).toEqual([8, 12])
    expect(mlsKid({ context: 0, leaf: 0, epoch: 5 })).toBe(5)
    expect(mlsKid({ context: 0, leaf: 3, epoch: 0x10e })).toBe(0x30e)
    expect(mlsKid({ context: 2, leaf: 0xfff, epoch: 0xff })).toBe(0x2fffff)
    expect(mlsKid({ context: 2 ** 44 - 1, leaf: 0xfff, epoch: 0xff })).toBe(MAX_UINT64)
  })

  it('survive a round trip in canonical form', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(9), fc.nat(2 ** 44 - 1), fc.constantFrom(2 ** 33 - 1, 2 ** 33)),
        fc.nat(4095),
        fc.nat(Number.MAX_SAFE_INTEGER - 1),
        (context, leaf, epoch) => {
          const kid = mlsKid({ context, leaf, epoch })
          expect(kid).toBe(toUInt64(BigInt(kid)))
          expect(parseMlsKid(kid)).toEqual({ context, leaf, epoch: epoch % 256 })
          expect(parseMlsKid(BigInt(kid))).toEqual({ context, leaf, epoch: epoch % 256 })
        },
      ),
    )
  })

  it.each([
    { context: 2 ** 44, leaf: 0, epoch: 0 },
    { context: 0, leaf: 4096, epoch: 0 },
    { context: 0, leaf: -1, epoch: 0 },
    { context: 0, leaf: 0, epoch: 2 ** 53 },
    { context: 0.5, leaf: 0, epoch: 0 },
  ])('refuse $context, $leaf, $epoch', (parts) => {
    expect(() => mlsKid(parts)).toThrow(RangeError)
  })
})

describe.each(providers)('epoch secret with $name', (provider) => {
  const suite = suites.AES_128_GCM_SHA256_128

  it('has a base key of exactly Nk bytes', () => {
    for (const length of [0, 15, 17, 32]) {
      const keys = { epoch: 1, baseKey: new Uint8Array(length) }
      expect(() => EpochSecret.import(provider, suite, keys)).toThrow(RangeError)
    }
  })

  it('gives a KID to one sender', async () => {
    const keys = { epoch: 1, baseKey: new Uint8Array(16) }
    const secret = await EpochSecret.import(provider, suite, keys, new CounterLedger())
    const all = { first: 0, last: 99 }
    await secret.claim(1, all)
    await secret.claim(2, all)
    expect(await codeOf(() => secret.claim(1, all))).toBe('kid-in-use')
    await secret.claim(1, { first: 100, last: 200 })
  })

  it('derives nothing once destroyed', async () => {
    const keys = { epoch: 1, baseKey: new Uint8Array(16) }
    const secret = await EpochSecret.import(provider, suite, keys)
    secret.destroy()
    expect(await codeOf(() => secret.derive(1))).toBe('key-deleted')
    expect(await codeOf(() => secret.claim(1, { first: 0, last: 1 }))).toBe('key-deleted')
  })
})
