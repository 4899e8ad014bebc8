import { describe, expect, it } from 'vitest'
import type { FailsPonyfill } from '../../moq/transport/fails-client.ts'
import { createFakePair, type FakeWebTransport } from '../../moq/transport/w3c-fake.ts'
import {
  ConnectError,
  type ConnectOptions,
  type ConnectPlatform,
  connect,
  type WebTransportConstructor,
} from './connect.ts'

const URL = 'https://relay.example:4433/?room=demo'

/** A `WebTransport` constructor that answers with a fake. */
function constructorOf(fake: FakeWebTransport, seen: object[] = []): WebTransportConstructor {
  return class {
    constructor(url: string, options: object) {
      seen.push({ url, ...options })
      // biome-ignore lint/correctness/noConstructorReturn: stands in for a browser's constructor
      return fake
    }
  } as WebTransportConstructor
}

/** A ponyfill whose WebSocket opens, fails or does neither. */
function ponyfillOf(outcome: 'opens' | 'fails' | 'hangs', protocol = 'moqt-18'): FailsPonyfill {
  return class {
    readonly ready: Promise<unknown>
    readonly closed = new Promise(() => {})
    readonly draining = new Promise(() => {})
    readonly sessionint = { setSessionObj(_native: object, _reliable: boolean) {} }

    constructor() {
      this.ready =
        outcome === 'fails' ? Promise.reject(new Error('no WebSocket')) : new Promise(() => {})
      if (outcome === 'opens') queueMicrotask(() => this.#open())
    }

    #open(): void {
      const native = {
        jsobj: null as { onReady(info: object): void } | null,
        ws: { bufferedAmount: 0 },
        getMaxDatagramSize: () => 16_384,
        close() {},
      }
      this.sessionint.setSessionObj(native, true)
      native.jsobj?.onReady({ protocol })
    }
  } as FailsPonyfill
}

/** Timers that run when a test says so, earliest first. */
function manualTimers() {
  const timers = new Set<{ ms: number; callback: () => void }>()
  return {
    after(ms: number, callback: () => void) {
      const timer = { ms, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    expire(): number {
      const [first] = [...timers].sort((a, b) => a.ms - b.ms)
      if (first === undefined) throw new Error('no timer is running')
      timers.delete(first)
      first.callback()
      return first.ms
    },
    get running() {
      return timers.size
    },
  }
}

function dial(platform: Partial<ConnectPlatform>, options: Partial<ConnectOptions> = {}) {
  return connect({
    url: URL,
    protocols: ['moqt-18'],
    ...options,
    platform: {
      WebTransport: undefined,
      loadPonyfill: async () => ponyfillOf('fails'),
      after: manualTimers().after,
      now: () => 0,
      ...platform,
    },
  })
}

const codeOf = (connecting: Promise<unknown>) =>
  connecting.then(
    () => 'connected',
    (error) => (error instanceof ConnectError ? error.code : error),
  )

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('connect', () => {
  it('takes WebTransport where it works, with versions and certificate hashes', async () => {
    const seen: object[] = []
    const { client } = createFakePair({ protocol: 'moqt-18' })
    const hash = new Uint8Array(32).fill(0xab)
    const { session, transport } = await dial(
      { WebTransport: constructorOf(client, seen) },
      { certificateHashes: [hash, 'ab'.repeat(32)] },
    )
    expect(transport).toBe('webtransport')
    expect([session.protocol, session.path, session.peer]).toEqual([
      'moqt-18',
      '/?room=demo',
      'relay.example:4433',
    ])
    const pin = { algorithm: 'sha-256', value: hash }
    expect(seen).toEqual([
      { url: URL, protocols: ['moqt-18'], serverCertificateHashes: [pin, pin] },
    ])
  })

  it('takes WebSocket where the browser has no WebTransport', async () => {
    const { session, transport } = await dial({ loadPonyfill: async () => ponyfillOf('opens') })
    expect([transport, session.kind, session.protocol]).toEqual([
      'websocket',
      'websocket',
      'moqt-18',
    ])
  })

  it('begins with WebSocket where that worked the last time, and has the other still', async () => {
    const { client } = createFakePair({ protocol: 'moqt-18' })
    const WebTransport = constructorOf(client)
    const options = { first: 'websocket' } as const
    const opens = await dial(
      { WebTransport, loadPonyfill: async () => ponyfillOf('opens') },
      options,
    )
    expect(opens.transport).toBe('websocket')
    expect((await dial({ WebTransport }, options)).transport).toBe('webtransport')
  })

  it('falls to WebSocket when WebTransport fails', async () => {
    const { client } = createFakePair()
    const broken = Object.create(client, { ready: { value: Promise.reject(new Error('no UDP')) } })
    const { transport } = await dial({
      WebTransport: constructorOf(broken),
      loadPonyfill: async () => ponyfillOf('opens'),
    })
    expect(transport).toBe('websocket')
  })

  it('falls to WebSocket when WebTransport is not ready in time, and drops it', async () => {
    const { client } = createFakePair()
    const timers = manualTimers()
    let closed = false
    const mute = Object.create(client, {
      ready: { value: new Promise(() => {}) },
      close: {
        value: () => {
          closed = true
        },
      },
    })
    const connecting = dial({
      WebTransport: constructorOf(mute),
      loadPonyfill: async () => ponyfillOf('opens'),
      after: timers.after,
    })
    await turn()
    expect(timers.expire()).toBe(2_000)
    expect((await connecting).transport).toBe('websocket')
    expect(closed).toBe(true)
    expect(timers.running).toBe(0)
  })

  it('uses a WebTransport that is slow when WebSocket does not open, and drops that', async () => {
    const { client } = createFakePair({ protocol: 'moqt-18' })
    const timers = manualTimers()
    const slow = Promise.withResolvers<void>()
    const late = Object.create(client, { ready: { value: slow.promise } })
    const connecting = dial({
      WebTransport: constructorOf(late),
      loadPonyfill: async () => ponyfillOf('fails'),
      after: timers.after,
    })
    await turn()
    expect(timers.expire()).toBe(2_000)
    await turn()
    slow.resolve()
    expect((await connecting).transport).toBe('webtransport')
    expect(timers.running).toBe(0)
  })

  it('gives up in the end when neither way answers', async () => {
    const { client } = createFakePair()
    const timers = manualTimers()
    const mute = Object.create(client, {
      ready: { value: new Promise(() => {}) },
      close: { value: () => {} },
    })
    const connecting = codeOf(
      dial({
        WebTransport: constructorOf(mute),
        loadPonyfill: async () => ponyfillOf('hangs'),
        after: timers.after,
      }),
    )
    await turn()
    const expired = [timers.expire(), timers.expire()]
    await turn()
    expect([...expired, timers.expire()]).toEqual([2_000, 8_000, 8_000])
    expect(await connecting).toBe('timeout')
    expect(timers.running).toBe(0)
  })

  it('keeps to the preferred way', async () => {
    const { client } = createFakePair({ protocol: 'moqt-18' })
    const loadPonyfill = async () => ponyfillOf('opens')
    const socket = await dial(
      { WebTransport: constructorOf(client), loadPonyfill },
      { prefer: 'websocket' },
    )
    expect(socket.transport).toBe('websocket')
    expect(await codeOf(dial({ loadPonyfill }, { prefer: 'webtransport' }))).toBe('unsupported')
  })

  it('says when neither way works', async () => {
    const error = await dial({}).catch((failure) => failure)
    expect(error).toBeInstanceOf(ConnectError)
    expect(error.code).toBe('unreachable')
    expect(error.message).toContain('relay.example:4433')
    expect(error.cause.message).toBe('no WebSocket')
  })

  it('says when the WebSocket does not open in time, and drops it if it opens later', async () => {
    const timers = manualTimers()
    const connecting = codeOf(
      dial({ loadPonyfill: async () => ponyfillOf('hangs'), after: timers.after }),
    )
    await turn()
    expect(timers.expire()).toBe(8_000)
    expect(await connecting).toBe('timeout')
  })

  it('says when the relay speaks no version of ours, without trying another way', async () => {
    const { client } = createFakePair({ protocol: 'moqt-99' })
    const loadPonyfill = async () => ponyfillOf('opens')
    expect(await codeOf(dial({ WebTransport: constructorOf(client), loadPonyfill }))).toBe(
      'version',
    )
    expect(await codeOf(dial({ loadPonyfill: async () => ponyfillOf('opens', '') }))).toBe(
      'version',
    )
  })

  it('stops when it is told to, before and during', async () => {
    const { client } = createFakePair()
    const mute = Object.create(client, {
      ready: { value: new Promise(() => {}) },
      close: { value: () => {} },
    })
    const WebTransport = constructorOf(mute)
    const aborted = AbortSignal.abort()
    expect(await codeOf(dial({ WebTransport }, { signal: aborted }))).toBe('aborted')
    const controller = new AbortController()
    const connecting = codeOf(dial({ WebTransport }, { signal: controller.signal }))
    await turn()
    controller.abort()
    expect(await connecting).toBe('aborted')
  })

  it.each(['http://relay.example/', 'relay', ''])('refuses the address %o', async (url) => {
    expect(await codeOf(dial({}, { url }))).toBe('invalid-url')
  })
})
