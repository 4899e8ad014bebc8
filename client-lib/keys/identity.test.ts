import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { fingerprint } from './fingerprint.ts'
import { credentialOf, participantOf } from './identity.ts'

describe('fingerprint', () => {
  it('is the JWK thumbprint of RFC 8037 appendix A.3', () => {
    const key = Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url')
    expect(fingerprint(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('is what jose says of a P-256 key', async () => {
    const { publicKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign'],
    )
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    expect(fingerprint(raw)).toBe(await calculateJwkThumbprint(jwk))
  })

  it('is of no other key, as one whose point is compressed', () => {
    expect(() => fingerprint(new Uint8Array(33).fill(2))).toThrow(/33 bytes/)
    expect(() => fingerprint(new Uint8Array(65).fill(2))).toThrow(/65 bytes/)
  })
})

describe('participantOf', () => {
  it('gives back what the credential was made for', () => {
    expect(participantOf(credentialOf('Zoë'))).toBe('Zoë')
    expect(participantOf(credentialOf('Zoë', 'a.b.c'))).toBe('Zoë')
  })

  it('refuses certificates and identities that are not UTF-8', () => {
    expect(() => participantOf({ credentialType: 'x509', certificates: [] })).toThrow(/x509/)
    const identity = Uint8Array.of(0xff)
    expect(() => participantOf({ credentialType: 'basic', identity })).toThrow(/UTF-8/)
  })
})
