import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import type { IdentityClaim } from './authenticate.ts'
import { fingerprint } from './fingerprint.ts'
import type { SignatureKeys } from './identity.ts'
import { SimulatedRoom } from './simulated-room.ts'
import { type PublicKeySet, tokenProof } from './token-proof.ts'

const NOW = Date.UTC(2030, 0, 1)
const jkt = 'a'.repeat(43)

interface Issuer {
  readonly keys: PublicKeySet
  sign(claims: Record<string, unknown>): Promise<string>
}

async function issuerOf(alg: 'EdDSA' | 'ES256'): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), alg, kid: 'one' }
  return {
    keys: { keys: [jwk] },
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg, kid: 'one' }).sign(privateKey),
  }
}

let issuer: Issuer
let stranger: Issuer

beforeAll(async () => {
  issuer = await issuerOf('EdDSA')
  stranger = await issuerOf('EdDSA')
})

const good = { room: 'demo', sub: 'ann', exp: NOW / 1000 + 60, cnf: { jkt } }
const claim = { participantId: 'ann', fingerprint: jkt, joining: true }

function check(token: string | null, changes: Partial<IdentityClaim> = {}) {
  const prove = tokenProof({ room: 'demo', keys: issuer.keys, wallClock: () => NOW })
  return prove({ ...claim, token, ...changes })
}

describe('the token in a credential', () => {
  it.each(['EdDSA', 'ES256'] as const)('holds when it is signed with %s', async (alg) => {
    const other = await issuerOf(alg)
    const prove = tokenProof({ room: 'demo', keys: other.keys, wallClock: () => NOW })
    expect(await prove({ ...claim, token: await other.sign(good) })).toBeNull()
  })

  it.each([
    ['is of another room', { ...good, room: 'other' }, 'another room'],
    ['is of another participant', { ...good, sub: 'bob' }, 'another participant'],
    ['binds another key', { ...good, cnf: { jkt: 'b'.repeat(43) } }, 'does not bind'],
    ['binds no key', { ...good, cnf: undefined }, 'does not bind'],
    ['has expired', { ...good, exp: NOW / 1000 - 61 }, 'expired'],
    ['is not valid yet', { ...good, nbf: NOW / 1000 + 61 }, 'not valid yet'],
    ['never ends', { ...good, exp: undefined }, 'never ends'],
  ])('is refused when it %s', async (_, claims, reason) => {
    expect(await check(await issuer.sign(claims))).toContain(reason)
  })

  it('is refused when another signed it, when it was changed, and when there is none', async () => {
    expect(await check(await stranger.sign(good))).toContain('not signed by the application')
    const [head, body, signature] = (await issuer.sign(good)).split('.')
    const changed = btoa(JSON.stringify({ ...good, sub: 'ann' })).replaceAll('=', '')
    expect(await check(`${head}.${changed}x.${signature}`)).toContain('not signed')
    const unsigned = btoa(JSON.stringify({ alg: 'none' })).replaceAll('=', '')
    expect(await check(`${unsigned}.${body}.x`)).toContain('not signed')
    expect(await check(null)).toContain('no token')
  })

  it('may be over for who is in already', async () => {
    const token = await issuer.sign({ ...good, exp: NOW / 1000 - 3600 })
    expect(await check(token, { joining: false })).toBeNull()
    expect(await check(token, { joining: false, fingerprint: 'b'.repeat(43) })).toContain('bind')
  })
})

describe('a room that admits by token', () => {
  async function keysOf(): Promise<SignatureKeys & { thumbprint: string }> {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
    const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
    const signKey = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey))
    const thumbprint = await calculateJwkThumbprint(await exportJWK(pair.publicKey))
    expect(fingerprint(publicKey)).toBe(thumbprint)
    return { publicKey, signKey, thumbprint }
  }

  async function options(room: SimulatedRoom, sub: string, changes: Record<string, unknown> = {}) {
    const keys = await keysOf()
    const bound = { room: 'demo', sub, exp: NOW / 1000 + 3600, cnf: { jkt: keys.thumbprint } }
    const wallClock = () => NOW + room.clock.now()
    return {
      signatureKeys: keys,
      token: await issuer.sign({ ...bound, ...changes }),
      authenticate: tokenProof({ room: 'demo', keys: issuer.keys, wallClock }),
    }
  }

  const newRoom = () => new SimulatedRoom(new Sequencer(), 'classical', 8)

  it('lets in who proves its key, and its members know each other’s fingerprints', async () => {
    const room = newRoom()
    const ann = room.join('ann', await options(room, 'ann'))
    await room.run(2000)
    const own = await options(room, 'bob')
    const bob = room.join('bob', own)
    await room.run(2000)
    expect(ann.last.roster.map(({ participantId }) => participantId)).toEqual(['ann', 'bob'])
    expect(ann.last.roster[1]!.fingerprint).toBe(own.signatureKeys.thumbprint)
    expect([...ann.alarms, ...bob.alarms]).toEqual([])
  })

  it('keeps out a key that no token binds, though the service lets it in', async () => {
    const room = newRoom()
    const ann = room.join('ann', await options(room, 'ann'))
    await room.run(2000)
    const bob = room.join('bob', await options(room, 'bob'))
    await room.run(2000)
    // Bob's token, copied by somebody with a key of its own, as the service itself could.
    const { token } = await options(room, 'bob')
    const ghost = { ...(await options(room, 'bob')), token, authenticate: () => null }
    const before = ann.last.epoch
    const again = room.join('bob', ghost)
    await room.run(3000)
    expect(ann.last.roster.map(({ fingerprint }) => fingerprint)).not.toContain(
      ghost.signatureKeys.thumbprint,
    )
    expect(ann.alarms.map(({ code }) => code)).toContain('commit-disputed')
    expect(ann.alarms[0]!.message).toContain('bob: its token does not bind its key')
    expect(ann.last.epoch).toBeGreaterThanOrEqual(before)
    again.member.leave()
    bob.member.leave()
  })

  it('is not entered by who finds a ghost in it', async () => {
    const room = newRoom()
    room.join('ghost', { authenticate: () => null })
    await room.run(2000)
    const ann = room.join('ann', await options(room, 'ann'))
    await room.run(2000)
    expect(ann.failure).toMatchObject({ code: 'identity-refused' })
    expect(ann.failure?.message).toContain('ghost: there is no token')
    expect(ann.epochs).toEqual([])
  })

  it('refuses a token that is over when it joins', async () => {
    const room = newRoom()
    const ann = room.join('ann', await options(room, 'ann'))
    await room.run(2000)
    room.join('bob', await options(room, 'bob', { exp: NOW / 1000 - 3600 }))
    await room.run(3000)
    expect(ann.last.roster).toHaveLength(1)
    expect(ann.alarms[0]!.message).toContain('expired')
  })
})
