import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import type { AuthorizationToken } from '../../moq/wire/parameters.ts'
import { TokenType } from '../../moq/wire/token-types.ts'
import { AdmissionControl } from './control.ts'
import { type AdmissionCounters, makeAdmissionCounters } from './counters.ts'
import { JwksError } from './jwks.ts'
import {
  jwksOf,
  makeSigningKey,
  type SigningKey,
  signKeyProof,
  signToken,
  thumbprintOf,
} from './make-token.ts'
import type { SessionEnd } from './refusal-codes.ts'
import type { SessionAdmission } from './session-admission.ts'
import { START, TestClock, utf8 } from './test-support.ts'

let folder: string
let path: string
let clock: TestClock
let key: SigningKey
let control: AdmissionControl
let counters: AdmissionCounters
let changes: number[]
let cachesFull: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-control-'))
  path = join(folder, 'jwks.json')
  key = await makeSigningKey()
  await list(key)
  clock = new TestClock()
  counters = makeAdmissionCounters()
  changes = []
  cachesFull = 0
  control = await AdmissionControl.open({
    location: { kind: 'jwks-file', path },
    clock,
    wallClock: clock.wallClock,
    onProblem: () => {},
    onKeysChanged: (keys) => changes.push(keys),
    counters,
    limits: { firstTokenMs: 3000, tokenCacheBytes: 100 },
    onTokenCacheFull: () => cachesFull++,
  })
})

afterEach(async () => {
  control.close()
  await rm(folder, { recursive: true })
})

const list = (...keys: SigningKey[]) => writeFile(path, JSON.stringify(jwksOf(...keys)))

const useValue = (type: number, text: string): AuthorizationToken => ({
  kind: 'use-value',
  type,
  value: utf8(text),
})

interface Session {
  readonly admission: SessionAdmission
  readonly ends: SessionEnd[]
}

function open(): Session {
  const ends: SessionEnd[] = []
  const admission = control.admit({
    onNarrowed: () => {},
    onEnded: (end) => ends.push(end),
    onInternalError: (error) => {
      throw error
    },
  })
  admission.onSetup([])
  return { admission, ends }
}

/** A session that brings a token of this participant's. */
async function admitted(participant: string, tokenId?: string, ms = 60_000): Promise<Session> {
  const session = open()
  const claims = { room: 'demo', participant, expires: START + ms, tokenId }
  const value = utf8(await signToken(key, claims))
  const refusal = await new Promise((resolve) =>
    session.admission.onRequest([{ kind: 'use-value', type: 0, value }], resolve),
  )
  expect(refusal).toBeNull()
  return session
}

describe('AdmissionControl', () => {
  it('bounds the tokens that a session registers, and tells of one too many', () => {
    const { admission } = open()
    const register = (alias: number, bytes: number) =>
      admission.onRequest(
        [{ kind: 'register', alias, type: 0, value: new Uint8Array(bytes) }],
        () => {},
      )
    register(1, 50)
    expect([control.tokenCacheBytes, cachesFull]).toEqual([66, 0])
    const overflow = expect.objectContaining({ code: SessionCode.AUTH_TOKEN_CACHE_OVERFLOW })
    expect(() => register(2, 50)).toThrow(overflow)
    expect([control.tokenCacheBytes, cachesFull]).toEqual([66, 1])
  })

  it('does not open without usable keys', async () => {
    await writeFile(path, '{}')
    const location = { kind: 'jwks-file', path } as const
    const { wallClock } = clock
    const onProblem = () => {}
    const opening = AdmissionControl.open({ location, clock, wallClock, onProblem })
    await expect(opening).rejects.toThrow(JwksError)
  })

  it('ends the sessions of a key that its issuer removed, when told to reload', async () => {
    const [ada, stranger] = [await admitted('ada'), open()]
    await list(await makeSigningKey(), await makeSigningKey())
    await control.reload()
    expect(ada.ends).toMatchObject([{ code: SessionCode.UNAUTHORIZED, cause: 'unknown-key' }])
    expect([stranger.ends, changes]).toEqual([[], [2]])
    expect(counters.ended['unknown-key']).toBe(1)
  })

  it('revokes a token until it would expire, in every session that uses it', async () => {
    const [one, two] = [await admitted('ada', 'first'), await admitted('ada', 'second')]
    expect(control.revoke({ kind: 'token', tokenId: 'first' }, null)).toEqual({
      revoked: true,
      until: START + 60_000,
      ended: 1,
    })
    expect(one.ends).toMatchObject([{ cause: 'revoked', wasAdmitted: true }])
    expect([two.ends, control.revocationCount]).toEqual([[], 1])
  })

  it('revokes what it has not seen as long as it runs, unless told how long', () => {
    const forever = { revoked: true, until: null, ended: 0 }
    expect(control.revoke({ kind: 'token', tokenId: 'unseen' }, null)).toEqual(forever)
    const ada = { kind: 'participant', room: 'demo', participant: 'ada' } as const
    expect(control.revoke(ada, null)).toEqual(forever)
    expect(control.revoke(ada, START + 5).until).toBe(START + 5)
  })

  it('revokes a participant with all tokens, and nobody else', async () => {
    const [one, two, other] = [await admitted('ada'), await admitted('ada'), await admitted('bob')]
    const outcome = control.revoke({ kind: 'participant', room: 'demo', participant: 'ada' }, null)
    expect(outcome.ended).toBe(2)
    expect([one.ends.length, two.ends.length, other.ends.length]).toEqual([1, 1, 0])
    expect(counters.ended.revoked).toBe(2)
  })

  it('counts tokens, refusals and ends, each by cause', async () => {
    const late = open()
    await admitted('ada', undefined, 5000)
    clock.advance(3000)
    expect(late.ends).toMatchObject([{ cause: 'missing', wasAdmitted: false }])
    clock.advance(2000)
    late.admission.unauthorized('publish')
    expect(counters.tokens.valid).toBe(1)
    expect([counters.refused.missing, counters.refused.expired]).toEqual([1, 0])
    expect([counters.ended.missing, counters.ended.expired]).toEqual([0, 1])
    expect(counters.unauthorizedRequests).toBe(1)
  })

  it('knows the registered tokens of open sessions only', async () => {
    const { admission } = open()
    const value = utf8('x'.repeat(84))
    admission.onRequest([{ kind: 'register', alias: 1, type: 9, value }], () => {})
    expect(control.tokenCacheBytes).toBe(100)
    admission.close()
    expect(control.tokenCacheBytes).toBe(0)
  })

  it('publishes the public keys of the issuer and nothing else, whatever their file holds', async () => {
    const other = await makeSigningKey('ES256')
    const keys = [
      { ...key.publicJwk, note: 'secret', x5c: ['c'] },
      { ...other.publicJwk, oth: [{ d: 'secret' }] },
    ]
    await writeFile(path, JSON.stringify({ keys }))
    await control.reload()
    expect(control.publicKeys).toEqual({ keys: [key.publicJwk, other.publicJwk] })
    expect(JSON.stringify(control.publicKeys)).not.toMatch(/secret|"d"/)
    // A private key among them is refused as a whole: the keys in use stay.
    await writeFile(path, JSON.stringify({ keys: [other.privateJwk] }))
    await control.reload()
    expect(control.publicKeys.keys).toHaveLength(2)
    const { d } = other.privateJwk
    expect(JSON.stringify(control.publicKeys)).not.toContain(d)
  })

  it('admits by a token that is bound to a key once for each proof, and by a copy never', async () => {
    const own = await makeSigningKey()
    const confirmationThumbprint = await thumbprintOf(own)
    const claims = { room: 'demo', participant: 'ada', expires: START + 60_000 }
    const token = await signToken(key, { ...claims, confirmationThumbprint })
    const proof = await signKeyProof(own, { token, room: 'demo', issued: START })
    const tokens = [useValue(TokenType.JWT, token), useValue(TokenType.KEY_PROOF, proof)]
    const enter = (given: AuthorizationToken[]) =>
      new Promise((resolve) => open().admission.onRequest(given, resolve))
    const unauthorized = expect.objectContaining({ code: RequestCode.UNAUTHORIZED })
    expect(await enter(tokens)).toBeNull()
    expect(await enter(tokens)).toEqual(unauthorized)
    expect(await enter(tokens.slice(0, 1))).toEqual(unauthorized)
    const fresh = await signKeyProof(own, { token, room: 'demo', issued: START })
    expect(await enter([tokens[0]!, useValue(TokenType.KEY_PROOF, fresh)])).toBeNull()
    expect([counters.tokens.valid, counters.tokens.proof]).toEqual([2, 2])
  })
})
