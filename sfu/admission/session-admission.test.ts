import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import { namespaceOf } from '../../moq/wire/names.ts'
import { type AuthorizationToken, encodeAuthorizationToken } from '../../moq/wire/parameters.ts'
import { TokenType } from '../../moq/wire/token-types.ts'
import { mayPublishNamespace, NO_PERMISSIONS, permissionsOf } from './permissions.ts'
import type { RequestRefusal, SessionEnd } from './refusal-codes.ts'
import { SessionAdmission } from './session-admission.ts'
import { START, TestClock, utf8 } from './test-support.ts'
import type { TokenRefusal, TokenRefusalCode } from './token-refusal.ts'
import type { Admission, Presented } from './tokens.ts'

const token = (text: string, type = 0): AuthorizationToken => ({
  kind: 'use-value',
  type,
  value: utf8(text),
})
const inSetup = (...tokens: AuthorizationToken[]) =>
  tokens.map((one) => ({ type: 0x03, value: encodeAuthorizationToken(one) }))
const refusal = (code: TokenRefusalCode): TokenRefusal => ({
  code,
  sentence: code,
  retryAfterMs: null,
})

/** Tokens are `<participant> <lifetime in ms>`, or the code that they are refused with. */
class World {
  readonly clock = new TestClock()
  readonly revoked = new Set<string>()
  readonly ends: SessionEnd[] = []
  readonly decisions: (RequestRefusal | null)[] = []
  /** What came with each token that was verified. */
  readonly presented: Presented[] = []
  narrowed = 0
  bugs: unknown[] = []
  readonly admission: SessionAdmission

  constructor(limits = {}) {
    this.admission = new SessionAdmission({
      verifier: {
        verify: async (value, presented) => {
          this.presented.push(presented!)
          const text = new TextDecoder().decode(value)
          if (text === 'bug') throw new Error('bug')
          const [participant, lifetime] = text.split(' ')
          if (lifetime === undefined) {
            return { valid: false, refusal: refusal(text as TokenRefusalCode) }
          }
          return { valid: true, admission: admissionOf(participant!, Number(lifetime)) }
        },
        recheck: ({ participant, expires }) => {
          if (expires <= this.clock.wallClock()) return refusal('expired')
          return this.revoked.has(participant) ? refusal('revoked') : null
        },
      },
      clock: this.clock,
      wallClock: this.clock.wallClock,
      limits,
      onNarrowed: () => this.narrowed++,
      onEnded: (end) => this.ends.push(end),
      onInternalError: (error) => this.bugs.push(error),
    })
  }

  async setup(...tokens: AuthorizationToken[]): Promise<void> {
    this.admission.onSetup(inSetup(...tokens))
    await setImmediate()
  }

  async request(...tokens: AuthorizationToken[]): Promise<RequestRefusal | null | undefined> {
    this.admission.onRequest(tokens, (decision) => this.decisions.push(decision))
    await setImmediate()
    return this.decisions.at(-1)
  }

  may(participant: string): boolean {
    const namespace = namespaceOf('sotto', 'demo', participant)
    return mayPublishNamespace(this.admission.permissions, namespace)
  }
}

function admissionOf(participant: string, lifetime: number): Admission {
  return {
    room: 'demo',
    participant,
    permissions: permissionsOf('demo', participant),
    expires: START + lifetime,
    tokenId: null,
    confirmationThumbprint: null,
    signedBy: 'key',
  }
}

describe('SessionAdmission', () => {
  it('admits by SETUP; requests that come meanwhile wait, later ones are answered at once', async () => {
    const world = new World()
    world.admission.onSetup(inSetup(token('alice 1000')))
    world.admission.onRequest(undefined, (decision) => world.decisions.push(decision))
    expect(world.decisions).toEqual([])
    await setImmediate()
    expect(world.decisions).toEqual([null])
    expect(world.may('alice')).toBe(true)
    expect(world.admission.expires).toBe(START + 1000)
    world.admission.onRequest(undefined, (decision) => world.decisions.push(decision))
    expect(world.decisions).toEqual([null, null])
  })

  it.each<[TokenRefusalCode, number, number]>([
    ['malformed', SessionCode.MALFORMED_AUTH_TOKEN, RequestCode.MALFORMED_AUTH_TOKEN],
    ['expired', SessionCode.EXPIRED_AUTH_TOKEN, RequestCode.EXPIRED_AUTH_TOKEN],
    ['bad-signature', SessionCode.UNAUTHORIZED, RequestCode.UNAUTHORIZED],
  ])('ends the session for SETUP, the request for a request: %s', async (code, end, request) => {
    const refused = new World()
    await refused.setup(token(code))
    expect(refused.ends).toEqual([{ code: end, reason: code, cause: code, wasAdmitted: false }])
    const world = new World()
    await world.setup(token('alice 1000'), token(code))
    expect(await world.request(token(code))).toMatchObject({ code: request })
    expect(world.ends).toEqual([])
  })

  it('ends a session that brings no token in time, and no other', async () => {
    const [late, early] = [new World(), new World()]
    await late.setup()
    await early.setup()
    expect(await early.request(token('alice 60000'))).toBeNull()
    late.clock.advance(10_000)
    early.clock.advance(10_000)
    expect(late.ends.map(({ code }) => code)).toEqual([SessionCode.UNAUTHORIZED])
    expect(early.ends).toEqual([])
  })

  it('joins tokens, narrows as each expires and ends with the last', async () => {
    const world = new World()
    await world.setup(token('alice 1000'))
    await world.request(token('bob 2000'))
    expect([world.may('alice'), world.may('bob')]).toEqual([true, true])
    world.clock.advance(1000)
    expect([world.may('alice'), world.may('bob'), world.narrowed]).toEqual([false, true, 1])
    world.clock.advance(1000)
    expect(world.ends).toMatchObject([{ code: SessionCode.EXPIRED_AUTH_TOKEN, cause: 'expired' }])
    expect(world.ends).toMatchObject([{ reason: 'expired', wasAdmitted: true }])
    expect(world.admission.permissions).toEqual(NO_PERMISSIONS)
    expect(world.clock.timers).toBe(0)
  })

  it('goes on when a later token renews the right, even beyond what timers bear', async () => {
    const world = new World()
    await world.setup(token('alice 1000'))
    const month = 31 * 86_400_000
    await world.request(token(`alice ${month}`))
    await world.request(token(`alice ${month}`))
    expect(world.admission.admissions).toHaveLength(2)
    world.clock.advance(month - 1)
    expect([world.may('alice'), world.ends.length]).toEqual([true, 0])
    world.clock.advance(1)
    expect(world.ends).toHaveLength(1)
  })

  it('ends at once by a revocation, when told to look again', async () => {
    const world = new World()
    await world.setup(token('alice 1000'))
    world.admission.recheck()
    expect(world.ends).toEqual([])
    world.revoked.add('alice')
    world.admission.recheck()
    expect(world.ends).toMatchObject([{ code: SessionCode.UNAUTHORIZED, reason: 'revoked' }])
  })

  it('registers an alias even when its request fails, and throws where the session must end', async () => {
    const world = new World()
    await world.setup(token('alice 1000'))
    const register = { ...token('expired'), kind: 'register', alias: 7 } as AuthorizationToken
    const expired = { code: RequestCode.EXPIRED_AUTH_TOKEN }
    expect(await world.request(register)).toMatchObject(expired)
    expect(await world.request({ kind: 'use-alias', alias: 7 })).toMatchObject(expired)
    const again = () => world.admission.onRequest([register], () => {})
    expect(again).toThrow('DUPLICATE_AUTH_TOKEN_ALIAS')
    const bad = [{ type: 0x03, value: Uint8Array.of(9) }]
    expect(() => new World().admission.onSetup(bad)).toThrow('KEY_VALUE_FORMATTING_ERROR')
  })

  it('bounds tokens: in a message, at the same time, and in all', async () => {
    const world = new World({ tokensPerMessage: 2, pending: 1, grants: 2 })
    await world.setup(token('alice 1000'))
    const load = { code: RequestCode.EXCESSIVE_LOAD }
    const many = [token('a 1'), token('b 1'), token('c 1')]
    expect(await world.request(...many)).toMatchObject(load)
    expect(await world.request(token('a 1'), token('a 1'))).toMatchObject({
      code: RequestCode.MALFORMED_AUTH_TOKEN,
    })
    world.admission.onRequest([token('bob 2000')], () => {})
    expect(await world.request(token('carol 3000'))).toMatchObject(load)
    expect([world.may('alice'), world.may('bob'), world.may('carol')]).toEqual([true, true, false])
    expect(await world.request(token('carol 3000'))).toBeNull()
    expect([world.may('alice'), world.may('bob'), world.may('carol')]).toEqual([false, true, true])
    expect(world.narrowed).toBe(1)
  })

  it('lets unknown token types pass without a right', async () => {
    const world = new World()
    await world.setup(token('alice 1000', 0x9d))
    expect([world.may('alice'), world.ends.length]).toEqual([false, 0])
  })

  it('calls nothing back after close, and reports a bug before', async () => {
    const world = new World()
    await world.setup(token('alice 1000'))
    await world.request(token('bug'))
    expect(world.bugs).toHaveLength(1)
    world.admission.onRequest([token('bob 1000')], (decision) => world.decisions.push(decision))
    world.admission.close()
    await setImmediate()
    world.clock.advance(20_000)
    expect([world.decisions, world.ends, world.clock.timers]).toEqual([[], [], 0])
  })

  it('looks at a token together with the proofs in its message, and with the rights that are held', async () => {
    const world = new World()
    await world.setup(token('alice 1000'), token('proof', TokenType.KEY_PROOF), token('x', 5))
    const [first] = world.presented
    expect(first!.proofs).toEqual([utf8('proof')])
    await world.request(token('alice 1000'))
    const [, second] = world.presented
    expect(second!.proofs).toEqual([])
    expect(second!.holds(admissionOf('alice', 1000))).toBe(true)
    expect(second!.holds(admissionOf('alice', 2000))).toBe(false)
    expect(second!.holds({ ...admissionOf('alice', 1000), confirmationThumbprint: 'k' })).toBe(
      false,
    )
  })
})
