import { importJWK, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { KeyProofs } from './key-proof.ts'
import {
  makeSigningKey,
  type SigningKey,
  signKeyProof,
  signToken,
  type TokenClaims,
  thumbprintOf,
} from './make-token.ts'
import { Revocations } from './revocation.ts'
import { START, TestClock, TestIssuer, utf8 } from './test-support.ts'
import { MAX_TOKEN_BYTES, type TokenVerdict, TokenVerifier } from './tokens.ts'

const claims: TokenClaims = { room: 'demo', participant: 'alice', expires: START + 60_000 }

describe('TokenVerifier', () => {
  let key: SigningKey
  let clock: TestClock
  let issuer: TestIssuer
  let revocations: Revocations
  let verifier: TokenVerifier

  beforeEach(async () => {
    key = await makeSigningKey()
    clock = new TestClock()
    issuer = new TestIssuer()
    await issuer.list(key)
    revocations = new Revocations()
    const { wallClock } = clock
    const proofs = new KeyProofs({ wallClock })
    verifier = new TokenVerifier({ keys: issuer, revocations, proofs, wallClock })
  })

  const codeOf = (verdict: TokenVerdict) => (verdict.valid ? 'valid' : verdict.refusal.code)
  const check = async (token: string) => codeOf(await verifier.verify(utf8(token)))
  const signed = async (payload: Record<string, unknown>, header: Record<string, unknown> = {}) =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, ...header })
      .sign(await importJWK(key.privateJwk, key.algorithm))

  it.each([
    'EdDSA',
    'ES256',
  ] as const)('admits with %s and gives what the token says', async (algorithm) => {
    key = await makeSigningKey(algorithm)
    await issuer.list(key)
    const own = await makeSigningKey(algorithm)
    const jkt = await thumbprintOf(own)
    const token = await signToken(key, {
      ...claims,
      tokenId: 'one',
      confirmationThumbprint: jkt,
      publish: [['news']],
    })
    const proof = utf8(await signKeyProof(own, { token, room: 'demo', issued: START }))
    const verdict = await verifier.verify(utf8(token), { proofs: [proof], holds: () => false })
    if (!verdict.valid) throw new Error(verdict.refusal.sentence)
    expect(verdict.admission).toMatchObject({
      room: 'demo',
      participant: 'alice',
      tokenId: 'one',
      confirmationThumbprint: jkt,
      expires: START + 60_000,
    })
    expect(verdict.admission.permissions.publish).toHaveLength(2)
    expect(verdict.admission.permissions.subscribe).toHaveLength(1)
  })

  it('refuses a token that is bound to a key without its proof, unless the right is held', async () => {
    const own = await makeSigningKey()
    const confirmationThumbprint = await thumbprintOf(own)
    const token = await signToken(key, { ...claims, confirmationThumbprint })
    expect(await check(token)).toBe('proof')
    const again = await verifier.verify(utf8(token), { proofs: [], holds: () => true })
    expect(codeOf(again)).toBe('valid')
  })

  it('refuses a token that ends while its proof is looked at', async () => {
    const confirmationThumbprint = 'a'.repeat(43)
    const token = await signToken(key, { ...claims, confirmationThumbprint })
    const { wallClock } = clock
    const proofs = {
      check: async () => {
        clock.advance(60_000)
        return null
      },
    }
    verifier = new TokenVerifier({ keys: issuer, revocations, proofs, wallClock })
    expect(await check(token)).toBe('expired')
  })

  it('refuses by time: exp exclusive, nbf inclusive with the time to wait', async () => {
    const token = await signToken(key, { ...claims, notBefore: START + 10_000 })
    const early = await verifier.verify(utf8(token))
    expect(early).toMatchObject({
      valid: false,
      refusal: { code: 'not-yet', retryAfterMs: 10_000 },
    })
    clock.advance(10_000)
    expect(await check(token)).toBe('valid')
    clock.advance(50_000)
    expect(await check(token)).toBe('expired')
  })

  it('refuses a foreign key, also under a known kid, and a changed token', async () => {
    expect(await check(await signToken(await makeSigningKey(), claims))).toBe('unknown-key')
    const forger = await makeSigningKey('EdDSA', key.keyId)
    expect(await check(await signToken(forger, claims))).toBe('bad-signature')
    const [head, , signature] = (await signToken(key, claims)).split('.')
    const body = btoa(JSON.stringify({ room: 'demo', sub: 'bob', exp: START / 1000 + 60 }))
    expect(await check(`${head}.${body.replace(/=+$/, '')}.${signature}`)).toBe('bad-signature')
  })

  it('refuses other algorithms, none above all', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const body = part({ room: 'demo', sub: 'alice', exp: START / 1000 + 60 })
    expect(await check(`${part({ alg: 'none', kid: key.keyId })}.${body}.`)).toBe('malformed')
    const secret = new Uint8Array(32)
    const header = { alg: 'HS256', kid: key.keyId }
    const hmac = await new SignJWT({}).setProtectedHeader(header).sign(secret)
    expect(await check(hmac)).toBe('malformed')
  })

  it('refuses what is no token, or too long, whatever the bytes', async () => {
    expect(await check('')).toBe('malformed')
    expect(await check('a.b.c')).toBe('malformed')
    expect(await check('x'.repeat(MAX_TOKEN_BYTES + 1))).toBe('malformed')
    expect(codeOf(await verifier.verify(Uint8Array.of(0xff, 0xfe)))).toBe('malformed')
    const head = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: 7 })).toString('base64url')
    expect(await check(`${head}.e30.AA`)).toBe('malformed')
    expect(await check(await signed({ exp: 1 }, { crit: ['b64'], b64: true }))).not.toBe('valid')
  })

  const exp = START / 1000 + 60
  it.each<[string, Record<string, unknown>]>([
    ['no exp', { room: 'demo', sub: 'alice' }],
    ['exp as text', { room: 'demo', sub: 'alice', exp: 'tomorrow' }],
    ['no room', { sub: 'alice', exp }],
    ['room of the service', { room: '.x', sub: 'alice', exp }],
    ['the delivery service as sub', { room: 'demo', sub: '.mls', exp }],
    ['long sub', { room: 'demo', sub: 'x'.repeat(129), exp }],
    ['flat publish list', { room: 'demo', sub: 'alice', exp, publish: ['news'] }],
    ['empty field', { room: 'demo', sub: 'alice', exp, subscribe: [['']] }],
    ['bad thumbprint', { room: 'demo', sub: 'alice', exp, cnf: { jkt: 'short' } }],
    ['nbf as text', { room: 'demo', sub: 'alice', exp, nbf: 'now' }],
    ['jti as number', { room: 'demo', sub: 'alice', exp, jti: 1 }],
  ])('refuses claims: %s', async (_, payload) => {
    expect(await check(await signed(payload))).toBe('claims')
  })

  it('refuses a revoked token and one whose key was removed, running admissions too', async () => {
    const token = await signToken(key, { ...claims, tokenId: 'one' })
    const verdict = await verifier.verify(utf8(token))
    if (!verdict.valid) throw new Error(verdict.refusal.sentence)
    expect(verifier.recheck(verdict.admission)).toBeNull()
    revocations.revoke({ kind: 'token', tokenId: 'one' }, claims.expires, START)
    expect(await check(token)).toBe('revoked')
    expect(verifier.recheck(verdict.admission)?.code).toBe('revoked')
    await issuer.list()
    expect(await check(token)).toBe('unknown-key')
    expect(verifier.recheck(verdict.admission)?.code).toBe('unknown-key')
  })

  it('never quotes a token', async () => {
    const token = await signToken(await makeSigningKey(), claims)
    const verdict = await verifier.verify(utf8(token))
    for (const part of token.split('.')) expect(JSON.stringify(verdict)).not.toContain(part)
  })
})
