import { describe, expect, it } from 'vitest'
import { credentialOf, fingerprint, participantOf } from './identity.ts'

describe('fingerprint', () => {
  it('is the JWK thumbprint of RFC 8037 appendix A.3', () => {
    const key = Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url')
    expect(fingerprint(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })
})

describe('participantOf', () => {
  it('gives back what the credential was made for', () => {
    expect(participantOf(credentialOf('Zoë'))).toBe('Zoë')
  })

  it('refuses certificates and identities that are not UTF-8', () => {
    expect(() => participantOf({ credentialType: 'x509', certificates: [] })).toThrow(/x509/)
    const identity = Uint8Array.of(0xff)
    expect(() => participantOf({ credentialType: 'basic', identity })).toThrow(/UTF-8/)
  })
})
