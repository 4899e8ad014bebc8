import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Session, type SessionLimitName, type SessionLimits } from '../../moq/session/index.ts'
import { createTransportPair } from '../../moq/transport/memory.ts'
import type { CloseInfo } from '../../moq/transport/transport.ts'
import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import { ProtocolError } from '../../moq/wire/errors.ts'
import { type Namespace, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { type AuthorizationToken, encodeAuthorizationToken } from '../../moq/wire/parameters.ts'
import { permissionsOf, unionOf } from '../admission/permissions.ts'
import { SessionAdmission } from '../admission/session-admission.ts'
import { START, TestClock, utf8 } from '../admission/test-support.ts'
import { makeForwardCounters } from '../forward/counters.ts'
import { DEFAULT_RELAY_LIMITS } from './index.ts'
import type { CheckSetup } from './peer.ts'
import { Relay } from './relay.ts'

const token = (text: string): AuthorizationToken => ({
  kind: 'use-value',
  type: 0,
  value: utf8(text),
})
const alice = namespaceOf('sotto', 'demo', 'alice')
const bob = namespaceOf('sotto', 'demo', 'bob')
const elsewhere = namespaceOf('sotto', 'other', 'eve')

const EXPIRED = { code: 'expired', sentence: 'expired', retryAfterMs: null } as const

/** Tokens are the names of participants of the room `demo`, separated by commas, or `bad`. */
class World {
  readonly clock = new TestClock()
  readonly bugs: unknown[] = []
  admission: SessionAdmission | null = null
  lifetimeMs = 60_000
  readonly limitHits: SessionLimitName[] = []
  checkSetup: CheckSetup = () => {}
  readonly relay: Relay

  constructor(sessionLimits: Partial<SessionLimits> = {}) {
    this.relay = this.makeRelay(sessionLimits)
  }

  private makeRelay(sessionLimits: Partial<SessionLimits>): Relay {
    return new Relay({
      clock: this.clock,
      sessionLimits,
      onSessionLimit: (limit) => this.limitHits.push(limit),
      checkSetup: (setup, transport) => this.checkSetup(setup, transport),
      counters: makeForwardCounters(),
      limits: DEFAULT_RELAY_LIMITS,
      openAdmission: (events) => {
        const { clock } = this
        this.admission = new SessionAdmission({
          verifier: {
            verify: async (value) => this.verify(value),
            recheck: ({ expires }) => (expires > clock.wallClock() ? null : EXPIRED),
          },
          clock,
          wallClock: clock.wallClock,
          ...events,
        })
        return this.admission
      },
      onInternalError: (error) => this.bugs.push(error),
    })
  }

  private verify(value: Uint8Array) {
    const participants = new TextDecoder().decode(value).split(',')
    if (participants[0] === 'bad') {
      const refusal = { code: 'bad-signature', sentence: 'bad token', retryAfterMs: null } as const
      return { valid: false, refusal } as const
    }
    const admission = {
      room: 'demo',
      participant: participants[0]!,
      permissions: unionOf(participants.map((name) => permissionsOf('demo', name))),
      expires: START + this.lifetimeMs,
      tokenId: null,
      confirmationThumbprint: null,
      signedBy: 'key',
    }
    return { valid: true, admission } as const
  }

  connect(setupToken: string | null, service = false): Client {
    const unlimited = Number.POSITIVE_INFINITY
    const pair = createTransportPair({ streamCredit: { uni: unlimited, bidi: unlimited } })
    this.relay.addSession(pair.server, service)
    return new Client(pair.client, this.clock, setupToken)
  }
}

class Client {
  readonly session: Session
  readonly answers: (number | null)[] = []
  closed: CloseInfo | null = null
  cacheBytes: unknown

  constructor(
    transport: ConstructorParameters<typeof Session>[0],
    clock: TestClock,
    setupToken: string | null,
  ) {
    const value = setupToken === null ? null : encodeAuthorizationToken(token(setupToken))
    this.session = new Session(transport, {
      role: 'client',
      clock,
      setup: value ? [{ type: 0x03, value }] : [],
      handler: {
        onReady: ({ options }) => {
          this.cacheBytes = options.find(({ type }) => Number(type) === 0x04)?.value
        },
        onClosed: (info) => {
          this.closed = info
        },
      },
    })
  }

  private readonly answered = {
    onAccepted: () => this.answers.push(null),
    onRejected: ({ code }: { code: number }) => this.answers.push(code),
  }

  async publish(namespace: Namespace, text?: string): Promise<number | null | undefined> {
    const parameters = text === undefined ? {} : { authorizationTokens: [token(text)] }
    this.session.publishNamespace(namespace, this.answered, parameters)
    return this.answer()
  }

  async watch(prefix: Namespace) {
    const events = { ...this.answered, onNamespace: () => {}, onNamespaceDone: () => {} }
    this.session.subscribeNamespace(prefix, events)
    return this.answer()
  }

  async subscribe(namespace: Namespace) {
    const events = { ...this.answered, onObject: () => {} }
    this.session.subscribe(trackOf(namespace, 'audio'), {}, events)
    return this.answer()
  }

  async offer(namespace: Namespace) {
    const options = { trackAlias: this.answers.length, largest: null, forward: false }
    this.session.publish(trackOf(namespace, 'offered'), options, this.answered)
    return this.answer()
  }

  async watchTracks(prefix: Namespace) {
    this.session.subscribeTracks(prefix, this.answered)
    return this.answer()
  }

  async fetch(namespace: Namespace) {
    const start = { group: 0, object: 0 }
    const range = {
      kind: 'standalone',
      track: trackOf(namespace, 'audio'),
      start,
      end: start,
    } as const
    this.session.fetch(range, { ...this.answered, onObject: () => {} })
    return this.answer()
  }

  async status(namespace: Namespace) {
    this.session.trackStatus(trackOf(namespace, 'audio'), {
      onStatus: () => this.answers.push(null),
      onRejected: (error) => this.answers.push(error?.code ?? -1),
    })
    return this.answer()
  }

  private async answer() {
    await settle()
    return this.answers.at(-1)
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate()
}

describe('Peer', () => {
  it('ends a session that its SETUP gives away, before it asks for its token', async () => {
    const world = new World()
    const seen: string[] = []
    world.checkSetup = ({ options }, transport) => {
      seen.push(`${options.length} ${transport.kind}`)
      if (options.length > 0) {
        throw new ProtocolError('not this path', SessionCode.INVALID_PATH)
      }
    }
    const [good, bad] = [world.connect(null), world.connect('bad')]
    await settle()
    expect(good.closed).toBeNull()
    const told = {
      by: 'peer',
      code: SessionCode.INVALID_PATH,
      reason: 'INVALID_PATH: not this path',
    }
    expect(bad.closed).toEqual(told)
    expect(seen).toEqual(['0 memory', '1 memory'])
    // A service of our own asks for no place.
    world.connect('bad', true)
    await settle()
    expect(seen).toHaveLength(2)
  })
})

describe('Peer with admission', () => {
  it('tells how many bytes of tokens it keeps (section 10.3.1.3)', async () => {
    const client = new World().connect('alice')
    await settle()
    expect(client.cacheBytes).toBe(32 * 1024)
  })

  it('asks the relay only for what the tokens of SETUP allow, request by request', async () => {
    const client = new World().connect('alice')
    const { UNAUTHORIZED, DOES_NOT_EXIST } = RequestCode
    expect(await client.publish(elsewhere)).toBe(UNAUTHORIZED)
    expect(await client.publish(bob)).toBe(UNAUTHORIZED)
    expect(await client.watch(namespaceOf('sotto'))).toBe(UNAUTHORIZED)
    expect(await client.subscribe(elsewhere)).toBe(UNAUTHORIZED)
    expect(await client.status(elsewhere)).toBe(UNAUTHORIZED)
    expect(await client.offer(bob)).toBe(UNAUTHORIZED)
    expect(await client.watchTracks(namespaceOf('sotto', 'other'))).toBe(UNAUTHORIZED)
    expect(await client.fetch(elsewhere)).toBe(UNAUTHORIZED)
    expect(await client.subscribe(bob)).toBe(DOES_NOT_EXIST)
    expect(await client.status(bob)).toBe(DOES_NOT_EXIST)
    expect(await client.publish(alice)).toBeNull()
    expect(await client.watch(namespaceOf('sotto', 'demo'))).toBeNull()
    expect(await client.offer(alice)).toBeNull()
    expect(await client.watchTracks(namespaceOf('sotto', 'demo'))).toBeNull()
    expect(await client.fetch(bob)).toBe(DOES_NOT_EXIST)
    expect(client.closed).toBeNull()
  })

  it('takes tokens with a request (section 10.2.2), before it looks at that', async () => {
    const client = new World().connect(null)
    expect(await client.publish(alice)).toBe(RequestCode.UNAUTHORIZED)
    expect(await client.publish(alice, 'bad')).toBe(RequestCode.UNAUTHORIZED)
    expect(await client.publish(alice, 'alice')).toBeNull()
    expect(await client.publish(bob, 'bob')).toBeNull()
  })

  it('ends what a token that expired allowed, and nothing else', async () => {
    const world = new World()
    const client = world.connect('alice')
    await settle()
    world.lifetimeMs = 120_000
    expect(await client.publish(bob, 'bob')).toBeNull()
    expect(await client.publish(alice)).toBeNull()
    world.clock.advance(60_000)
    await settle()
    expect(world.relay.publishedNamespaces()).toEqual([bob])
    expect(await client.publish(alice)).toBe(RequestCode.UNAUTHORIZED)
    expect(client.closed).toBeNull()
    world.clock.advance(60_000)
    await settle()
    expect(client.closed).toMatchObject({ code: SessionCode.EXPIRED_AUTH_TOKEN })
    expect([world.relay.publishedNamespaces(), world.bugs]).toEqual([[], []])
  })

  it('closes a session whose token is refused, expires or never comes', async () => {
    const world = new World()
    const [bad, late] = [world.connect('bad'), world.connect(null)]
    await settle()
    expect(bad.closed).toMatchObject({ by: 'peer', code: SessionCode.UNAUTHORIZED })
    world.clock.advance(10_000)
    await settle()
    expect(late.closed).toMatchObject({ code: SessionCode.UNAUTHORIZED })
    expect(world.relay.sessionCount).toBe(0)
  })

  it('ends its admission with the session', async () => {
    const world = new World()
    const client = world.connect('alice')
    await settle()
    expect(world.admission?.admissions).toHaveLength(1)
    client.session.close(0, 'bye')
    await settle()
    expect(world.admission?.admissions).toHaveLength(0)
    expect(world.bugs).toEqual([])
  })

  it('tells which bound of its session a peer hit', async () => {
    const world = new World({ maxRequests: 1 })
    const client = world.connect('alice')
    expect(await client.publish(alice)).toBeNull()
    expect(await client.watch(namespaceOf('sotto', 'demo'))).toBe(RequestCode.EXCESSIVE_LOAD)
    expect(world.limitHits).toEqual(['maxRequests'])
  })

  it('trusts the services of its own process, and does not bound them like one peer', async () => {
    const world = new World({ maxRequests: 2, controlBytesPerSecond: 1, controlBurstBytes: 100 })
    const service = world.connect(null, true)
    for (let n = 0; n < 20; n++) {
      expect(await service.publish(namespaceOf('sotto', `room ${n}`, 'service'))).toBeNull()
    }
    expect(await service.watch(namespaceOf('sotto'))).toBeNull()
    expect(world.admission).toBeNull()
  })
})
