import { extract } from '@noble/hashes/hkdf.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { CounterLedger } from './counter-ledger.ts'
import { decodeHeader } from './header.ts'
import { deriveKey, keyLabel, saltLabel } from './key-schedule.ts'
import { ReceiverContext } from './receiver.ts'
import { SenderContext } from './sender.ts'
import { type CtrHmacSuite, findSuite } from './suites.ts'
import { codeOf, hex, providers, uint64, unhex, vectors } from './testing.ts'

const aead = vectors.aead.map((vector) => ({ ...vector, suite: findSuite(vector.cipher_suite) }))
const sframe = vectors.sframe.map((vector) => ({
  ...vector,
  suite: findSuite(vector.cipher_suite),
}))

it('has a full vector for each of the eight suites', () => {
  expect(sframe.map(({ suite }) => suite.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(aead.map(({ suite }) => suite.id)).toEqual([1, 2, 3, 6, 7, 8])
})

describe.each(providers)('official vectors with $name', (provider) => {
  describe.each(aead)('AES-CTR with HMAC, $suite.name (RFC 9605 C.2)', (vector) => {
    it('splits the key, encrypts and decrypts', async () => {
      const { cipherKeyLength } = vector.suite as CtrHmacSuite
      expect(vector.key.slice(0, cipherKeyLength * 2)).toBe(vector.enc_key)
      expect(vector.key.slice(cipherKeyLength * 2)).toBe(vector.auth_key)

      const key = await provider.importKey(vector.suite, unhex(vector.key))
      const [nonce, aad, pt] = [unhex(vector.nonce), unhex(vector.aad), unhex(vector.pt)]
      const output = new Uint8Array(pt.length + vector.suite.tagLength)
      expect(hex(await key.seal(nonce, aad, pt, output, 0))).toBe(vector.ct)
      expect(await key.open(nonce, aad, unhex(vector.ct))).toEqual(pt)
    })
  })

  describe.each(sframe)('$suite.name (RFC 9605 C.3)', (vector) => {
    const { suite } = vector
    const [kid, ctr] = [uint64(vector.kid), uint64(vector.ctr)]
    const baseKey = unhex(vector.base_key)

    it('derives secret, key, salt and nonce', async () => {
      expect(hex(keyLabel(kid, suite))).toBe(vector.sframe_key_label)
      expect(hex(saltLabel(kid, suite))).toBe(vector.sframe_salt_label)
      const hash = suite.hash === 'SHA-256' ? sha256 : sha512
      expect(hex(extract(hash, baseKey))).toBe(vector.sframe_secret)

      const secret = await provider.importSecret(suite, baseKey)
      const key = await secret.expand(keyLabel(kid, suite), suite.keyLength)
      expect(hex(key)).toBe(vector.sframe_key)
      const salt = await secret.expand(saltLabel(kid, suite), suite.nonceLength)
      expect(hex(salt)).toBe(vector.sframe_salt)
      const nonce = new Uint8Array(12)
      const derived = await deriveKey(provider, suite, secret, kid)
      derived.writeNonce(ctr, nonce)
      expect(hex(nonce)).toBe(vector.nonce)
    })

    it('encrypts to the ciphertext', async () => {
      const ledger = new CounterLedger()
      const options = { provider, suite, kid, baseKey, firstCounter: Number(ctr), ledger }
      const sender = await SenderContext.create(options)
      const frame = await sender.encrypt(unhex(vector.pt), unhex(vector.metadata))
      expect(hex(frame)).toBe(vector.ct)
      const header = frame.subarray(0, decodeHeader(frame).length)
      expect(hex(header) + vector.metadata).toBe(vector.aad)
    })

    it('decrypts the ciphertext, and nothing that differs from it in one byte', async () => {
      const receiver = new ReceiverContext({ provider, suite })
      await receiver.installKey(kid, baseKey)
      const [ct, metadata] = [unhex(vector.ct), unhex(vector.metadata)]
      const { length } = decodeHeader(ct)
      for (let index = length; index < ct.length; index++) {
        const altered = ct.slice()
        altered[index] = (altered[index] ?? 0) ^ 0x80
        expect(await codeOf(() => receiver.decrypt(altered, metadata))).toBe(
          'authentication-failed',
        )
      }
      metadata[0] = (metadata[0] ?? 0) ^ 1
      expect(await codeOf(() => receiver.decrypt(ct, metadata))).toBe('authentication-failed')
      metadata[0] = (metadata[0] ?? 0) ^ 1
      expect(hex(await receiver.decrypt(ct, metadata))).toBe(vector.pt)
    })
  })
})
