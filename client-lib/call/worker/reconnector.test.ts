import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../moq/session/manual-clock.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import type { CallError } from '../types.ts'
import { DEFAULT_RECONNECT, type Keepable, Reconnector, type Try } from './reconnector.ts'
import type { ConnectionWatcher } from './relay-connection.ts'

const errorOf = (message: string): CallError => ({ code: 'disconnected', message })
const closeInfo = (reason: string): CloseInfo => ({ by: 'peer', code: 0, reason })
const refusal = (reason: string): RequestError => {
  return { type: 'REQUEST_ERROR', code: 1, retryAfterMs: null, reason }
}

class FakeConnection implements Keepable {
  readonly name: string
  readonly session = { closed: false }
  established = false
  silent = false
  watcher: ConnectionWatcher | null = null
  checks = 0
  closedFor: string | null = null

  constructor(name: string) {
    this.name = name
  }

  check(): void {
    this.checks++
  }

  close(reason: string): void {
    this.session.closed = true
    this.closedFor = reason
  }

  /** The relay lets us in. */
  establish(): void {
    this.established = true
    this.watcher!.onEstablished()
  }

  /** The path is gone, and QUIC knows it. */
  lose(reason = 'gone'): void {
    this.session.closed = true
    this.watcher?.onClosed(closeInfo(reason))
  }

  setSilent(silent: boolean): void {
    this.silent = silent
    this.watcher!.onSilent(silent)
  }

  goaway(newSessionUri = ''): void {
    this.watcher!.onGoaway({ type: 'GOAWAY', newSessionUri, timeout: 0 })
  }
}

interface Dial extends Try {
  readonly at: number
  answer(connection: FakeConnection | null): Promise<void>
  fail(reason: string): Promise<void>
}

class World {
  readonly clock = new ManualClock()
  readonly dials: Dial[] = []
  readonly log: string[] = []
  readonly first = new FakeConnection('first')
  moving = false
  readonly reconnector: Reconnector<FakeConnection>

  constructor(settings = {}) {
    const verdict = (reason: string) => ({
      error: errorOf(reason),
      final: reason.startsWith('final'),
    })
    this.reconnector = new Reconnector<FakeConnection>({
      clock: this.clock,
      random: () => 0.5,
      settings,
      dial: (attempt) => {
        const { promise, resolve, reject } = Promise.withResolvers<FakeConnection | null>()
        const settle = () => new Promise<void>((done) => setImmediate(done))
        this.dials.push({
          ...attempt,
          at: this.clock.now(),
          answer: (connection) => {
            resolve(connection)
            return settle()
          },
          fail: (reason) => {
            reject(new Error(reason))
            return settle()
          },
        })
        return promise
      },
      judgeDial: (error) => verdict(error instanceof Error ? error.message : String(error)),
      judgeClose: ({ reason }) => verdict(reason),
      judgeRefusal: ({ reason }) => verdict(reason),
      onAdopted: ({ name }) => this.log.push(`adopted ${name}`),
      onOver: ({ name }) => this.log.push(`over ${name}`),
      onLost: (lost) => this.log.push(lost ? 'lost' : 'found'),
      isMoving: () => this.moving,
      onFailed: ({ message }) => this.log.push(`failed: ${message}`),
    })
  }

  /** In the call, over the first connection. */
  static joined(settings = {}): World {
    const world = new World(settings)
    world.reconnector.begin(world.first)
    world.first.establish()
    world.log.length = 0
    return world
  }

  get dial(): Dial {
    return this.dials.at(-1)!
  }

  /** The next try of all has this outcome. */
  async failNext(reason: string): Promise<void> {
    const before = this.dials.length
    while (this.dials.length === before) this.clock.advance(10)
    await this.dial.fail(reason)
  }
}

describe('a lost connection', () => {
  it('is replaced by one that is tried within 100 ms, and used once the relay lets us in', async () => {
    const world = World.joined()
    world.first.lose()
    expect(world.log).toEqual(['over first', 'lost'])
    world.clock.advance(100)
    expect(world.dials).toMatchObject([{ number: 0, url: null }])
    const second = new FakeConnection('second')
    await world.dial.answer(second)
    expect(world.reconnector.connection).toBe(world.first)
    second.establish()
    expect(world.log).toEqual(['over first', 'lost', 'found', 'adopted second'])
    expect(world.reconnector.connection).toBe(second)
    world.clock.advance(60_000)
    expect(world.dials).toHaveLength(1)
  })

  it('at the join ends the call, as there is nothing to go on with', () => {
    for (const end of [
      (connection: FakeConnection) => connection.lose('no relay'),
      (connection: FakeConnection) => connection.watcher!.onRefused(refusal('no relay')),
    ]) {
      const world = new World()
      world.reconnector.begin(world.first)
      end(world.first)
      world.clock.advance(60_000)
      expect(world.log).toContain('failed: no relay')
      expect(world.dials).toEqual([])
    }
  })

  it('for a reason that no try mends ends the call, whether told at the loss or by a try', async () => {
    const told = World.joined()
    told.first.lose('final: expired')
    expect(told.log).toEqual(['over first', 'failed: final: expired'])
    const tried = World.joined()
    tried.first.lose()
    await tried.failNext('final: expired')
    expect(tried.log.at(-1)).toBe('failed: final: expired')
  })

  it('is tried again with pauses that grow, and given up with the last reason', async () => {
    const world = World.joined({ giveUpMs: 20_000 })
    world.first.lose()
    while (!world.log.at(-1)!.startsWith('failed')) {
      await world.failNext(`try ${world.dials.length}`)
    }
    const pauses = world.dials.slice(1).map(({ at }, index) => at - world.dials[index]!.at)
    expect(pauses[0]).toBeLessThan(150)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1010)
    pauses.slice(1).forEach((pause, index) => {
      expect(pause).toBeGreaterThanOrEqual(pauses[index]! - 10)
    })
    expect(world.dials.map(({ number }) => number)).toEqual(world.dials.map((_, index) => index))
    expect(world.dial.at).toBeGreaterThanOrEqual(20_000)
    expect(world.dial.at).toBeLessThan(22_000)
    expect(world.log.at(-1)).toBe(`failed: try ${world.dials.length - 1}`)
  })

  it('that comes again and again is not tried at once each time, until one has lasted', async () => {
    const world = World.joined()
    const waits: number[] = []
    let connection = world.first
    for (let round = 0; round < 5; round++) {
      if (round === 4) world.clock.advance(DEFAULT_RECONNECT.stableMs)
      const lostAt = world.clock.now()
      connection.lose()
      while (world.dials.length === round) world.clock.advance(5)
      waits.push(world.dial.at - lostAt)
      connection = new FakeConnection(`number ${round}`)
      await world.dial.answer(connection)
      connection.establish()
    }
    expect(waits[1]).toBeGreaterThanOrEqual(50)
    expect(waits[3]!).toBeGreaterThan(waits[1]!)
    expect(waits[4]!).toBeLessThanOrEqual(100)
  })
})

describe('a try', () => {
  it('whose relay answers and lets nobody in is left after a while for another one', async () => {
    const world = World.joined()
    world.first.lose()
    world.clock.advance(100)
    const stuck = new FakeConnection('stuck')
    await world.dial.answer(stuck)
    world.clock.advance(DEFAULT_RECONNECT.establishMs)
    expect(stuck.closedFor).not.toBeNull()
    expect(stuck.watcher).toBeNull()
    world.clock.advance(1000)
    expect(world.dials).toHaveLength(2)
    expect(world.log).toEqual(['over first', 'lost', 'over stuck'])
  })

  it('that is refused, or lost before it is used, is followed by another one', async () => {
    const world = World.joined()
    world.first.lose()
    for (const end of ['refused', 'lost'] as const) {
      const before = world.dials.length
      while (world.dials.length === before) world.clock.advance(10)
      const next = new FakeConnection(end)
      await world.dial.answer(next)
      if (end === 'lost') next.lose()
      else next.watcher!.onRefused(refusal('full'))
    }
    world.clock.advance(1000)
    expect(world.dials).toHaveLength(3)
    expect(world.log).toEqual(['over first', 'lost', 'over refused', 'over lost'])
  })

  it('that is put off is none: the next one has its number', async () => {
    const world = World.joined()
    world.first.lose()
    world.clock.advance(100)
    await world.dial.answer(null)
    world.clock.advance(1000)
    expect(world.dials.map(({ number }) => number)).toEqual([0, 0])
  })

  it('is begun at once when the machine has a network again, but not twice in a moment', async () => {
    const world = World.joined()
    world.first.lose()
    for (let i = 0; i < 6; i++) await world.failNext('no network')
    const { at, length } = { at: world.dial.at, length: world.dials.length }
    world.clock.advance(at + 350 - world.clock.now())
    world.reconnector.hurry()
    expect(world.dials).toHaveLength(length + 1)
    world.reconnector.hurry()
    expect(world.dials).toHaveLength(length + 1)
    world.clock.advance(400)
    world.reconnector.hurry()
    expect(world.dials).toHaveLength(length + 2)
    // The one that still waited is not waited for.
    expect(world.dials.at(-2)!.signal.aborted).toBe(true)
    const late = new FakeConnection('late')
    await world.dials.at(-2)!.answer(late)
    expect(late.closedFor).not.toBeNull()
  })
})

describe('a connection that falls silent', () => {
  it('is lost to the call, and used again when it speaks before another one is there', async () => {
    const world = World.joined()
    world.first.setSilent(true)
    world.clock.advance(100)
    expect(world.log).toEqual(['lost'])
    world.first.setSilent(false)
    expect(world.log).toEqual(['lost', 'found'])
    expect(world.dial.signal.aborted).toBe(true)
    const late = new FakeConnection('late')
    await world.dial.answer(late)
    expect(late.closedFor).not.toBeNull()
    world.clock.advance(60_000)
    expect(world.dials).toHaveLength(1)
    expect(world.first.closedFor).toBeNull()
  })

  it('is closed at once when another one takes its place', async () => {
    const world = World.joined()
    world.first.setSilent(true)
    world.clock.advance(100)
    const second = new FakeConnection('second')
    await world.dial.answer(second)
    second.establish()
    expect(world.first.closedFor).not.toBeNull()
    expect(world.log).toEqual(['lost', 'found', 'adopted second', 'over first'])
  })

  it('is looked at when the machine wakes up', () => {
    const world = World.joined()
    world.reconnector.hurry()
    expect(world.first.checks).toBe(1)
    expect(world.dials).toEqual([])
  })
})

describe('a relay that goes away (GOAWAY, draft-18 section 10.4)', () => {
  it('is left for the one that it names, and serves until that one does', async () => {
    const world = World.joined()
    world.first.goaway('https://other.example/')
    world.clock.advance(DEFAULT_RECONNECT.leaveWithinMs)
    expect(world.dials).toMatchObject([{ url: 'https://other.example/' }])
    const second = new FakeConnection('second')
    await world.dial.answer(second)
    second.establish()
    expect(world.log).toEqual(['adopted second'])
    expect(world.first.closedFor).toBeNull()
    world.clock.advance(DEFAULT_RECONNECT.overlapMs + 200)
    expect(world.first.closedFor).not.toBeNull()
    expect(world.log).toEqual(['adopted second', 'over first'])
  })

  it('serves longer while something is on its way from it, but not for ever', async () => {
    const world = World.joined()
    world.moving = true
    world.first.goaway()
    world.clock.advance(500)
    const second = new FakeConnection('second')
    await world.dial.answer(second)
    second.establish()
    world.clock.advance(DEFAULT_RECONNECT.mostOverlapMs - 200)
    expect(world.first.closedFor).toBeNull()
    world.clock.advance(400)
    expect(world.first.closedFor).not.toBeNull()
  })

  it('is asked again itself where the one that it names cannot be had, or is none', async () => {
    const world = World.joined()
    world.first.goaway('https://dead.example/')
    for (let i = 0; i < 4; i++) await world.failNext('unreachable')
    expect(world.dials.map(({ url }) => url)).toEqual([
      'https://dead.example/',
      'https://dead.example/',
      'https://dead.example/',
      null,
    ])
    for (const uri of ['http://other.example/', 'javascript:alert(1)', 'nowhere']) {
      const strange = World.joined()
      strange.first.goaway(uri)
      strange.clock.advance(500)
      expect(strange.dials).toMatchObject([{ url: null }])
    }
  })

  it('is not given up while it serves, however long no other is there', async () => {
    const world = World.joined({ giveUpMs: 5000 })
    world.first.goaway()
    while (world.clock.now() < 12_000) await world.failNext('unreachable')
    expect(world.log).toEqual([])
    world.first.lose()
    await world.failNext('unreachable')
    expect(world.log).toEqual(['over first', 'lost', 'failed: unreachable'])
  })
})

describe('the end of a call', () => {
  it('closes every connection, gives up what is tried, and leaves no timer that does anything', async () => {
    const world = World.joined()
    world.first.goaway()
    world.clock.advance(500)
    const second = new FakeConnection('second')
    await world.dial.answer(second)
    second.establish()
    second.goaway()
    world.clock.advance(500)
    expect(world.dials).toHaveLength(2)
    world.reconnector.close('left the call')
    expect([world.first.closedFor, second.closedFor]).toEqual(['left the call', 'left the call'])
    expect(world.dial.signal.aborted).toBe(true)
    const late = new FakeConnection('late')
    await world.dial.answer(late)
    expect(late.closedFor).not.toBeNull()
    const { length } = world.log
    second.watcher?.onClosed(closeInfo('late'))
    world.reconnector.hurry()
    world.clock.advance(600_000)
    expect(world.log).toHaveLength(length)
    expect(world.dials).toHaveLength(2)
  })
})
