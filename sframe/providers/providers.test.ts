import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Suite, suites } from '../suites.ts'
import { codeOf, hex, providers } from '../testing.ts'
import { tagMatches } from './ctr-hmac.ts'
import { defaultProvider } from './default.ts'
import { nodeProvider } from './node.ts'
import { webCryptoProvider } from './webcrypto.ts'

const allSuites: readonly Suite[] = Object.values(suites)

describe.each(allSuites)('providers agree on $name', (suite) => {
  it('about any key, nonce, associated data and plaintext', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: suite.keyLength, maxLength: suite.keyLength }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(9),
        async (keyBytes, nonce, aad, plaintext, offset) => {
          const length = plaintext.length + suite.tagLength
          const sealed = new Set<string>()
          for (const provider of providers) {
            const key = await provider.importKey(suite, keyBytes)
            const output = new Uint8Array(offset + length + 1).fill(0x55)
            expect(await key.seal(nonce, aad, plaintext, output, offset)).toBe(output)
            expect(output.subarray(0, offset).every((byte) => byte === 0x55)).toBe(true)
            expect(output[offset + length]).toBe(0x55)
            sealed.add(hex(output.subarray(offset, offset + length)))
            // At an odd place in memory, too.
            const opened = await key.open(nonce, aad, output.subarray(offset, offset + length))
            expect(opened === null ? null : hex(opened)).toBe(hex(plaintext))
          }
          expect(sealed.size).toBe(1)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('about any base key and label', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 150 })
    await fc.assert(
      fc.asyncProperty(bytes, bytes, fc.integer({ min: 1, max: 96 }), async (ikm, label, n) => {
        const outputs = new Set<string>()
        for (const provider of providers) {
          const secret = await provider.importSecret(suite, ikm)
          outputs.add(hex(await secret.expand(label, n)))
        }
        expect(outputs.size).toBe(1)
      }),
      { numRuns: 25 },
    )
  })

  it('about any forgery', async () => {
    const keyBytes = new Uint8Array(suite.keyLength).fill(7)
    const nonce = new Uint8Array(12).fill(9)
    const bytes = fc.uint8Array({ minLength: suite.tagLength, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(bytes, async (forged) => {
        for (const provider of providers) {
          const key = await provider.importKey(suite, keyBytes)
          expect(await key.open(nonce, new Uint8Array(3), forged)).toBeNull()
        }
      }),
      { numRuns: 25 },
    )
  })
})

describe.each(providers)('$name', (provider) => {
  it.each(allSuites)('deletes keys and secrets of $name', async (suite) => {
    const key = await provider.importKey(suite, new Uint8Array(suite.keyLength))
    const secret = await provider.importSecret(suite, new Uint8Array(16))
    key.destroy()
    secret.destroy()
    const nonce = new Uint8Array(12)
    const sealed = new Uint8Array(20)
    expect(await codeOf(() => key.seal(nonce, nonce, nonce, new Uint8Array(28), 0))).toBe(
      'key-deleted',
    )
    expect(await codeOf(() => key.open(nonce, nonce, sealed))).toBe('key-deleted')
    expect(await codeOf(() => secret.expand(nonce, 16))).toBe('key-deleted')
  })

  it('keeps no reference to key bytes', async () => {
    const suite = suites.AES_128_CTR_HMAC_SHA256_80
    const bytes = new Uint8Array(suite.keyLength).fill(3)
    const kept = await provider.importKey(suite, bytes)
    const same = await provider.importKey(suite, bytes.slice())
    bytes.fill(0)
    const sealWith = (key: typeof kept) =>
      key.seal(new Uint8Array(12), new Uint8Array(0), new Uint8Array(5), new Uint8Array(15), 0)
    expect(await sealWith(kept)).toEqual(await sealWith(same))
  })

  it('gives frames memory that does not overlap, as plain Uint8Arrays', () => {
    const lengths = [0, 1, 20_000, 8192, 8192, 60_000, 3, 8193]
    const parts = lengths.map((length) => provider.allocate(length))
    parts.forEach((part, index) => {
      part.fill(index + 1)
    })
    parts.forEach((part, index) => {
      expect(part.constructor).toBe(Uint8Array)
      expect(part.length).toBe(lengths[index])
      expect(part.every((byte) => byte === index + 1)).toBe(true)
    })
  })

  it.each([
    suites.AES_256_GCM_SHA512_128,
    suites.AES_128_CTR_HMAC_SHA256_32,
  ])('takes shared memory and leaves scratch memory to its owner ($name)', async (suite) => {
    const key = await provider.importKey(suite, new Uint8Array(suite.keyLength))
    const plaintext = new Uint8Array(new SharedArrayBuffer(50)).fill(1)
    const [nonce, aad] = [new Uint8Array(12), new Uint8Array(7)]
    const output = new Uint8Array(50 + suite.tagLength)
    const sealing = key.seal(nonce, aad, plaintext, output, 0)
    nonce.fill(0xff)
    aad.fill(0xff)
    const sealed = await sealing
    const opening = key.open(new Uint8Array(12), new Uint8Array(7), sealed)
    expect(await opening).toEqual(new Uint8Array(50).fill(1))
  })
})

describe('tag comparison', () => {
  it('holds the whole tag against the start of the MAC', () => {
    const mac = Uint8Array.from([1, 2, 3, 4])
    expect(tagMatches(Uint8Array.from([1, 2]), mac)).toBe(true)
    expect(tagMatches(Uint8Array.from([1, 3]), mac)).toBe(false)
    expect(tagMatches(Uint8Array.from([0, 2]), mac)).toBe(false)
    expect(tagMatches(Uint8Array.from([1, 2, 3, 4, 0]), mac)).toBe(false)
  })
})

describe('providers', () => {
  it('default to WebCrypto where the platform has it', () => {
    expect(defaultProvider()).toBe(webCryptoProvider)
  })

  it('of Node answer at once', () => {
    const suite = suites.AES_256_GCM_SHA512_128
    const key = nodeProvider.importKey(suite, new Uint8Array(32))
    if (key instanceof Promise) throw new Error('a promise')
    const nonce = new Uint8Array(12)
    expect(key.seal(nonce, nonce, nonce, new Uint8Array(28), 0)).toBeInstanceOf(Uint8Array)
  })
})
