import { createHash } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { MAX_KEY_PROOF_BYTES } from '../../moq/wire/token-types.ts'
import { type BoundToken, KeyProofs } from './key-proof.ts'
import { makeSigningKey, type SigningKey, signKeyProof, thumbprintOf } from './make-token.ts'
import { START, TestClock, utf8 } from './test-support.ts'

const TOKEN = 'head.body.signature'
const ATH = createHash('sha256').update(TOKEN).digest('base64url')

describe('the proof of a key', () => {
  let key: SigningKey
  let bound: BoundToken
  let clock: TestClock
  let proofs: KeyProofs

  beforeEach(async () => {
    key = await makeSigningKey()
    bound = { token: utf8(TOKEN), room: 'demo', thumbprint: await thumbprintOf(key) }
    clock = new TestClock()
    proofs = new KeyProofs({ wallClock: clock.wallClock })
  })

  const claims = { token: TOKEN, room: 'demo', issued: START }
  const check = async (...texts: string[]) =>
    (await proofs.check(bound, texts.map(utf8)))?.sentence ?? null

  /** A proof whose claims and header a test changes. */
  async function proofWith(payload: object, header: object = {}, signer = key): Promise<string> {
    const { kty, crv, x, y } = key.publicJwk
    return new SignJWT({ ath: ATH, aud: 'demo', jti: 'one', iat: START / 1000, ...payload })
      .setProtectedHeader({
        typ: 'dpop+jwt',
        alg: signer.algorithm,
        jwk: { kty, crv, x, y },
        ...header,
      })
      .sign(await importJWK(signer.privateJwk, signer.algorithm))
  }

  it.each([
    'EdDSA',
    'ES256',
  ] as const)('holds when the key of the token made it, %s', async (alg) => {
    key = await makeSigningKey(alg)
    bound = { ...bound, thumbprint: await thumbprintOf(key) }
    expect(await check(await signKeyProof(key, claims))).toBeNull()
  })

  it('has to be there', async () => {
    expect(await check()).toContain('no proof of that key')
  })

  it('holds once, also in another session', async () => {
    const proof = await signKeyProof(key, { ...claims, proofId: 'one' })
    expect(await check(proof)).toBeNull()
    expect(await check(proof)).toContain('used before')
    clock.advance(120_001)
    expect(await check(proof)).toContain('not of now')
    const later = { ...claims, issued: START + 120_001, proofId: 'one' }
    expect(await check(await signKeyProof(key, later))).toBeNull()
  })

  it('is not used up by one that is refused', async () => {
    expect(await check(await proofWith({ aud: 'other' }))).toContain('another room')
    expect(await check(await proofWith({}))).toBeNull()
  })

  it('is refused when it is not of now, to either side', async () => {
    clock.advance(60_000)
    expect(await check(await signKeyProof(key, claims))).toBeNull()
    clock.advance(1)
    expect(await check(await signKeyProof(key, claims))).toContain('clock')
    const early = { ...claims, issued: START + 121_000 }
    expect(await check(await signKeyProof(key, early))).toContain('clock')
    const wide = new KeyProofs({ wallClock: clock.wallClock, windowMs: 61_000 })
    expect(await wide.check(bound, [utf8(await signKeyProof(key, early))])).toBeNull()
  })

  it('is refused for another key, also one that names the right key', async () => {
    const thief = await makeSigningKey()
    expect(await check(await signKeyProof(thief, claims))).toContain('another key')
    expect(await check(await proofWith({}, {}, thief))).toContain('not signed by it')
  })

  it.each([
    ['another token', { ath: ATH.slice(1) }, 'another token'],
    ['no token', { ath: undefined }, 'not a DPoP proof'],
    ['another room', { aud: 'other' }, 'another room'],
    ['a list of rooms', { aud: ['demo', 'other'] }, 'not a DPoP proof'],
    ['no room', { aud: undefined }, 'not a DPoP proof'],
    ['no time', { iat: undefined }, 'not a DPoP proof'],
    ['no name', { jti: undefined }, 'not a DPoP proof'],
    ['a name too long', { jti: 'x'.repeat(129) }, 'not a DPoP proof'],
  ])('is refused when it is for %s', async (_, payload, reason) => {
    expect(await check(await proofWith(payload))).toContain(reason)
  })

  it('is refused as any other JWT of the same key', async () => {
    expect(await check(await proofWith({}, { typ: 'JWT' }))).toContain('not signed by it')
    expect(await check(await proofWith({}, { jwk: undefined }))).toContain('not a DPoP proof')
    expect(await check(await proofWith({}, { jwk: key.privateJwk }))).toContain('not a DPoP proof')
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const { kty, crv, x } = key.publicJwk
    const head = part({ typ: 'dpop+jwt', alg: 'none', jwk: { kty, crv, x } })
    expect(await check(`${head}.${part({ ath: ATH })}.`)).toContain('not signed by it')
  })

  it('is refused when it is no proof at all, or too long, whatever the bytes', async () => {
    expect(await check('', 'a.b.c', 'x'.repeat(MAX_KEY_PROOF_BYTES + 1))).toContain('not a DPoP')
    expect(await proofs.check(bound, [Uint8Array.of(0xff)])).toMatchObject({ code: 'proof' })
  })

  it('may stand beside those of other tokens', async () => {
    const other = await signKeyProof(await makeSigningKey(), claims)
    expect(await check(other, await signKeyProof(key, claims), other)).toBeNull()
  })

  it('is asked to wait when one key makes too many', async () => {
    const many = await Promise.all(Array.from({ length: 65 }, () => signKeyProof(key, claims)))
    for (const proof of many.slice(0, 64)) expect(await check(proof)).toBeNull()
    expect(await proofs.check(bound, [utf8(many[64]!)])).toMatchObject({ retryAfterMs: 60_000 })
  })
})
