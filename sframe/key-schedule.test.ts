import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { deriveKey, importBaseKey, ratchetBaseKey, senderKeyKid } from './key-schedule.ts'
import { suites } from './suites.ts'
import { bytesOf, hex, providers } from './testing.ts'
import { MAX_UINT64 } from './uint64.ts'

const suite = suites.AES_256_GCM_SHA512_128

describe.each(providers)('key schedule with $name', (provider) => {
  it('makes nonces of salt XOR CTR up to the last counter', async () => {
    const secret = await importBaseKey(provider, suite, new Uint8Array(32))
    const key = await deriveKey(provider, suite, secret, 1)
    const nonceOf = (ctr: number | bigint): bigint => {
      const nonce = new Uint8Array(12)
      key.writeNonce(ctr, nonce)
      return BigInt(`0x${hex(nonce)}`)
    }
    const salt = nonceOf(0)
    for (const ctr of [1, 255, 2 ** 31, 2 ** 32, 2 ** 52 + 1, 2n ** 53n, MAX_UINT64]) {
      expect(nonceOf(ctr)).toBe(salt ^ BigInt(ctr))
    }
  })

  it('ratchets a base key to Nh bytes (RFC 9605 section 5.1)', async () => {
    const baseKey = bytesOf('a base key')
    const label = bytesOf('SFrame 1.0 Ratchet')
    const first = await ratchetBaseKey(provider, suite, baseKey)
    expect(first).toEqual(expand(sha512, extract(sha512, baseKey), label, 64))
    const second = await ratchetBaseKey(provider, suite, first)
    expect(second).toEqual(expand(sha512, extract(sha512, first), label, 64))
  })

  it('takes no empty base key', () => {
    expect(() => importBaseKey(provider, suite, new Uint8Array(0))).toThrow(RangeError)
  })
})

describe('KIDs of sender keys', () => {
  it('hold the generation above the low bits of the ratchet step', () => {
    expect(senderKeyKid(0, 0, 4)).toBe(0)
    expect(senderKeyKid(5, 18, 4)).toBe(0x52)
    expect(senderKeyKid(7, 3, 0)).toBe(7)
    expect(senderKeyKid(2 ** 52, 1, 4)).toBe(2n ** 56n + 1n)
    expect(() => senderKeyKid(2 ** 52, 0, 13)).toThrow(RangeError)
    expect(() => senderKeyKid(0, -1, 4)).toThrow(RangeError)
    expect(() => senderKeyKid(0, 0, 33)).toThrow(RangeError)
  })
})
