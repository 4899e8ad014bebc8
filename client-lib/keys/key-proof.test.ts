import { describe, expect, it } from 'vitest'
import { KeyProofs } from '../../sfu/admission/key-proof.ts'
import { fingerprint } from './fingerprint.ts'
import { proveKey } from './key-proof.ts'
import { makeSignatureKeys } from './seat.ts'

const NOW = Date.UTC(2030, 0, 1)
const token = 'head.body.signature'
const room = 'demo'

describe('the proof of our signature key', () => {
  it.each([
    'x-wing',
    'classical',
    'p256',
  ] as const)('is taken by a relay, suite %s', async (suite) => {
    const keys = await makeSignatureKeys(suite)
    const proof = await proveKey({ keys, token, room, now: NOW })
    const proofs = new KeyProofs({ wallClock: () => NOW })
    const bound = { token: new TextEncoder().encode(token), room }
    const check = (thumbprint: string) =>
      proofs.check({ ...bound, thumbprint }, [new TextEncoder().encode(proof)])
    const other = fingerprint((await makeSignatureKeys(suite)).publicKey)
    expect(await check(other)).toMatchObject({ code: 'proof' })
    expect(await check(fingerprint(keys.publicKey))).toBeNull()
    expect(await check(fingerprint(keys.publicKey))).toMatchObject({ code: 'proof' })
  })

  it('shows the public key only, and is another one each time', async () => {
    const keys = await makeSignatureKeys('x-wing')
    const make = () => proveKey({ keys, token, room, now: NOW })
    const [one, two] = await Promise.all([make(), make()])
    expect(one).not.toBe(two)
    const { jwk } = JSON.parse(Buffer.from(one.split('.')[0]!, 'base64url').toString())
    expect(Object.keys(jwk).sort()).toEqual(['crv', 'kty', 'x'])
  })
})
