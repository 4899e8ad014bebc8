import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verificationCode } from './verification-code.ts'

describe('verificationCode', () => {
  it('is six numbers of five digits from the first 30 bytes of the hash', () => {
    const authenticator = Uint8Array.from({ length: 64 }, (_, i) => i)
    const hash = createHash('sha512').update('Sotto verification code 1').update(authenticator)
    const digest = hash.digest()
    let expected = ''
    for (let group = 0; group < 6; group++) {
      const value = digest.readUIntBE(group * 5, 5) % 100_000
      expected += value.toString().padStart(5, '0')
    }
    expect(verificationCode(authenticator)).toBe(expected)
  })

  it('is always 30 digits, and others for other authenticators', () => {
    const authenticator = fc.uint8Array({ minLength: 32, maxLength: 64 })
    fc.assert(
      fc.property(authenticator, authenticator, (a, b) => {
        expect(verificationCode(a)).toMatch(/^\d{30}$/)
        if (Buffer.compare(a, b) !== 0) expect(verificationCode(a)).not.toBe(verificationCode(b))
      }),
    )
  })
})
