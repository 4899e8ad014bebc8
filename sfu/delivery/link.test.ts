import { describe, expect, it } from 'vitest'
import type { ConnectOptions } from '../../moq/node/index.ts'
import { ConnectError } from '../../moq/node/index.ts'
import { Session } from '../../moq/session/index.ts'
import { namespaceOf } from '../../moq/wire/names.ts'
import { decodeAuthorizationToken } from '../../moq/wire/parameters.ts'
import { RelayWorld } from '../relay/test-world.ts'
import { Sequencer } from './index.ts'
import { RelayLink, TokenError } from './link.ts'

/** A relay that can be away, and a service that looks for it. */
class World {
  readonly relay = new RelayWorld()
  readonly events: string[] = []
  readonly tries: ConnectOptions[] = []
  readonly sessions: Session[] = []
  away = false
  token: () => string | null = () => null
  readonly link: RelayLink

  constructor() {
    this.link = new RelayLink({
      relay: 'moqt://relay',
      connect: (_, options) => this.connect(options),
      token: () => this.token(),
      sequencer: new Sequencer(),
      clock: this.relay.clock,
      wallClock: () => this.relay.clock.now(),
      random: () => 1,
      onConnected: () => this.events.push('connected'),
      onLost: (reason, retryMs) => this.events.push(`${reason}, again in ${retryMs}`),
    })
  }

  async start(): Promise<void> {
    void this.link.start()
    await this.relay.settle()
  }

  async advance(ms: number): Promise<void> {
    this.relay.clock.advance(ms)
    await this.relay.settle()
  }

  private async connect(options: ConnectOptions): Promise<Session> {
    this.tries.push(options)
    if (this.away) throw new ConnectError('lost', 'nobody there')
    const session = new Session(this.relay.connect(true), {
      role: 'client',
      handler: options.handler,
      clock: this.relay.clock,
    })
    this.sessions.push(session)
    return session
  }
}

describe('the link with a relay', () => {
  it('serves rooms once it is connected, and again after the relay was gone', async () => {
    const world = new World()
    await world.start()
    expect(world.events).toEqual(['connected'])
    const seen: string[] = []
    world.relay.client({}).subscribeNamespace(namespaceOf('sotto', 'demo'), {
      onNamespace: (namespace) => seen.push(`+${namespace.length}`),
      onNamespaceDone: (namespace) => seen.push(`-${namespace.length}`),
    })
    world.relay.client({}).publishNamespace(namespaceOf('sotto', 'demo', 'ann'), {})
    await world.relay.settle()
    expect(seen).toHaveLength(2)
    world.sessions[0]!.close(0, 'gone')
    await world.relay.settle()
    expect(world.link.connected).toBe(false)
    expect(seen).toHaveLength(3)
    await world.advance(500)
    expect(world.link.connected).toBe(true)
    expect(seen).toHaveLength(4)
  })

  it('tries again after a growing while, and quickly again after a session that lasted', async () => {
    const world = new World()
    world.away = true
    await world.start()
    for (let i = 0; i < 7; i++) await world.advance(5000)
    expect(world.events.map((event) => Number(/\d+$/.exec(event)![0]))).toEqual([
      500, 1000, 2000, 4000, 5000, 5000, 5000, 5000,
    ])
    world.away = false
    await world.advance(5000)
    await world.advance(10_000)
    world.sessions[0]!.close(0, 'gone')
    await world.relay.settle()
    expect(world.events.at(-1)).toBe('gone, again in 500')
  })

  it('brings the token of now in each SETUP, and goes on when there is none to be had', async () => {
    const world = new World()
    let tokens = 0
    world.token = () => {
      if (++tokens === 1) throw new TokenError('cannot read the token')
      return `token ${tokens}`
    }
    await world.start()
    expect(world.events).toEqual(['cannot read the token, again in 500'])
    await world.advance(500)
    const [option] = world.tries[0]!.setup!
    const token = decodeAuthorizationToken(option!.value as Uint8Array)
    expect(token).toMatchObject({ kind: 'use-value', type: 0 })
    expect('value' in token && new TextDecoder().decode(token.value)).toBe('token 2')
  })

  it('asks for a connection that is found dead after 5 s, whatever the relay has for callers', async () => {
    const world = new World()
    await world.start()
    expect(world.tries[0]!.transport).toEqual({ idleTimeoutMs: 5000 })
  })

  it('is over when it is closed', async () => {
    const world = new World()
    await world.start()
    world.link.close()
    await world.relay.settle()
    await world.advance(60_000)
    expect(world.tries).toHaveLength(1)
    expect(world.link.connected).toBe(false)
  })
})
