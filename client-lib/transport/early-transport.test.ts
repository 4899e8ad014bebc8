import { describe, expect, it } from 'vitest'
import { createFakePair, type FakeWebTransport } from '../../moq/transport/w3c-fake.ts'
import type { W3cWebTransport } from '../../moq/transport/w3c-types.ts'
import { connect } from './connect.ts'
import { EarlyTransport } from './early-transport.ts'
import type { ConnectPlatform, WebTransportConstructor } from './platform.ts'

const ADDRESS = {
  url: 'https://relay.example:4433/',
  protocols: ['moqt-18'],
  certificateHashes: ['ab'.repeat(32)],
}

function world() {
  const made: { url: string; fake: FakeWebTransport; isClosed: boolean }[] = []
  const timers = new Map<() => void, number>()
  let time = 0
  const platform: Pick<ConnectPlatform, 'WebTransport' | 'after' | 'now'> = {
    WebTransport: class {
      constructor(url: string) {
        const { client: fake } = createFakePair()
        const entry = { url, fake, isClosed: false }
        fake.closed.then(
          () => {
            entry.isClosed = true
          },
          () => {
            entry.isClosed = true
          },
        )
        made.push(entry)
        // biome-ignore lint/correctness/noConstructorReturn: stands in for a browser's constructor
        return fake
      }
    } as unknown as WebTransportConstructor,
    after(ms, callback) {
      timers.set(callback, time + ms)
      return () => void timers.delete(callback)
    },
    now: () => time,
  }
  const pass = async (ms: number) => {
    time += ms
    for (const [callback, at] of [...timers]) {
      if (at > time) continue
      timers.delete(callback)
      callback()
    }
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return { early: new EarlyTransport(platform), platform, made, pass, timers }
}

describe('a session that is opened before it is wanted', () => {
  it('is one, however often it is wished for, and goes to whoever connects to that relay', async () => {
    const { early, made } = world()
    early.open(ADDRESS)
    early.open({ ...ADDRESS })
    expect(made.map(({ url }) => url)).toEqual([ADDRESS.url])
    expect(early.take(ADDRESS)).toBe(made[0]!.fake)
    expect(early.take(ADDRESS)).toBeNull()
  })

  it('is for nobody who goes elsewhere, or trusts another certificate', () => {
    const { early } = world()
    early.open(ADDRESS)
    expect(early.take({ ...ADDRESS, url: 'https://relay.example:4434/' })).toBeNull()
    expect(early.take({ ...ADDRESS, certificateHashes: [] })).toBeNull()
    expect(early.take(ADDRESS)).not.toBeNull()
  })

  it('is let go of before the relay would, and replaced before it is too old to be taken', async () => {
    const { early, made, pass, timers } = world()
    early.open(ADDRESS)
    await pass(3500)
    early.open(ADDRESS)
    await pass(0)
    expect(made.map(({ isClosed }) => isClosed)).toEqual([true, false])
    await pass(6000)
    expect(made[1]!.isClosed).toBe(true)
    expect(early.take(ADDRESS)).toBeNull()
    expect(timers.size).toBe(0)
  })

  it('that broke is not handed out', async () => {
    const { early, made, pass } = world()
    early.open(ADDRESS)
    made[0]!.fake.close()
    await pass(0)
    expect(early.take(ADDRESS)).toBeNull()
  })

  it('is nothing where the browser has none, or refuses to try', () => {
    const { platform } = world()
    const without = new EarlyTransport({ ...platform, WebTransport: undefined })
    without.open(ADDRESS)
    expect(without.take(ADDRESS)).toBeNull()
    class Refuses {
      constructor() {
        throw new TypeError('bad address')
      }
    }
    const WebTransport = Refuses as unknown as new () => W3cWebTransport
    const refused = new EarlyTransport({ ...platform, WebTransport })
    refused.open(ADDRESS)
    expect(refused.take(ADDRESS)).toBeNull()
  })

  it('is what `connect` goes on with', async () => {
    const { early, platform, made } = world()
    early.open(ADDRESS)
    const { session, transport } = await connect({
      ...ADDRESS,
      early,
      platform: { ...platform, loadPonyfill: () => Promise.reject(new Error('not wanted')) },
    })
    session.handler = {
      onUniStream() {},
      onBidiStream() {},
      onDatagram() {},
      onStreamCredit() {},
      onClosed() {},
    } as unknown as typeof session.handler
    expect([transport, made.length]).toEqual(['webtransport', 1])
    session.close(0, 'done')
  })
})
