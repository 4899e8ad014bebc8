import { describe, expect, it } from 'vitest'
import { findSuite, suites } from './suites.ts'
import { codeOf } from './testing.ts'

describe('cipher suites', () => {
  it('have the constants of RFC 9605 table 1, and AES-256 counterparts', () => {
    const rows = Object.values(suites).map((suite) => [
      suite.id,
      suite.name,
      suite.hashLength,
      suite.cipher === 'AES-CTR-HMAC' ? suite.cipherKeyLength : null,
      suite.keyLength,
      suite.nonceLength,
      suite.tagLength,
    ])
    expect(rows).toEqual([
      [1, 'AES_128_CTR_HMAC_SHA256_80', 32, 16, 48, 12, 10],
      [2, 'AES_128_CTR_HMAC_SHA256_64', 32, 16, 48, 12, 8],
      [3, 'AES_128_CTR_HMAC_SHA256_32', 32, 16, 48, 12, 4],
      [4, 'AES_128_GCM_SHA256_128', 32, null, 16, 12, 16],
      [5, 'AES_256_GCM_SHA512_128', 64, null, 32, 12, 16],
      [6, 'AES_256_CTR_HMAC_SHA512_80', 64, 32, 96, 12, 10],
      [7, 'AES_256_CTR_HMAC_SHA512_64', 64, 32, 96, 12, 8],
      [8, 'AES_256_CTR_HMAC_SHA512_32', 64, 32, 96, 12, 4],
    ])
  })

  it('are found by number and by name', async () => {
    for (const suite of Object.values(suites)) {
      expect(findSuite(suite.id)).toBe(suite)
      expect(findSuite(suite.name)).toBe(suite)
    }
    for (const unknown of [0, 9, 0xf000, 'AES', 'toString', '5']) {
      expect(await codeOf(() => findSuite(unknown))).toBe('unsupported-suite')
    }
  })
})
