import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DeliveryFormatError,
  decodeIdentity,
  encodeIdentity,
  MAX_CREDENTIAL_TOKEN_BYTES,
} from './index.ts'

describe('the identity in a credential (RFC 9420 section 5.3)', () => {
  it('is the participant id alone where there is no token', () => {
    const bytes = encodeIdentity({ participant: 'Zoë', token: null })
    expect(new TextDecoder().decode(bytes)).toBe('Zoë')
    expect(decodeIdentity(bytes)).toEqual({ participant: 'Zoë', token: null })
  })

  it('carries the token behind the participant id', () => {
    const identity = { participant: 'Zoë', token: 'eyJ.a-_9.c' }
    expect(decodeIdentity(encodeIdentity(identity))).toEqual(identity)
  })

  it('is refused where an id hides a second one, or the token is none or too long', () => {
    const bad = [
      { participant: 'ann\0bob', token: null },
      { participant: '.mls', token: null },
      { participant: '', token: 'a.b.c' },
      { participant: 'ann', token: '' },
      { participant: 'ann', token: 'a.b' },
      { participant: 'ann', token: `a.b.${'c'.repeat(MAX_CREDENTIAL_TOKEN_BYTES)}` },
    ]
    for (const identity of bad) {
      expect(() => encodeIdentity(identity)).toThrow(DeliveryFormatError)
    }
  })

  it('throws nothing but the named error on hostile bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          expect(encodeIdentity(decodeIdentity(bytes))).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(DeliveryFormatError)
        }
      }),
    )
  })
})
