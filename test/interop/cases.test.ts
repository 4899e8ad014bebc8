/**
 * The test cases that implementers of MoQT agreed upon for interop runs, against the relay: names,
 * namespaces, criteria and time limits are theirs. Real: the relay's process and QUIC, once by
 * WebTransport and once by the ALPN of raw QUIC.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SessionCode } from '../../moq/wire/codes.ts'
import type { Received, TrackId } from './client.ts'
import { NodeClient, type Wire } from './node-client.ts'
import { type InteropRelay, startInteropRelay } from './relay.ts'

const NAMESPACE = ['moq-test', 'interop']
const TRACK: TrackId = { namespace: NAMESPACE, name: 'test-track' }

/** Steps that are short beside the limits of the cases. */
const POLL = { timeout: 2000, interval: 10 }

interface Case {
  readonly identifier: string
  /** For the whole case, connections included. */
  readonly limitMs: number
  run(connect: () => Promise<NodeClient>): Promise<void>
}

const CASES: readonly Case[] = [
  {
    identifier: 'setup-only',
    limitMs: 2000,
    run: async (connect) => {
      const client = await connect()
      expect(client.session.ready).toBe(true)
    },
  },
  {
    identifier: 'announce-only',
    limitMs: 2000,
    run: async (connect) => {
      const client = await connect()
      await client.publishNamespace(NAMESPACE)
    },
  },
  {
    identifier: 'publish-namespace-done',
    limitMs: 2000,
    run: async (connect) => {
      const watcher = await connect()
      await watcher.subscribeNamespace(NAMESPACE)
      const client = await connect()
      await client.publishNamespace(NAMESPACE)
      await expect.poll(() => watcher.namespaces(), POLL).toEqual(['moq-test/interop'])
      await client.withdrawNamespace(NAMESPACE)
      await expect.poll(() => watcher.namespaces(), POLL).toEqual([])
    },
  },
  {
    identifier: 'subscribe-error',
    limitMs: 2000,
    run: async (connect) => {
      const client = await connect()
      const nowhere = { namespace: ['nonexistent', 'namespace'], name: 'test-track' }
      await expect(client.subscribe(nowhere)).rejects.toThrow(/^refused: 0x10 ./)
      expect(client.session.closed).toBe(false)
    },
  },
  {
    identifier: 'announce-subscribe',
    limitMs: 3000,
    run: async (connect) => {
      const publisher = await connect()
      await publisher.serve(TRACK)
      await publisher.publishNamespace(NAMESPACE)
      const subscriber = await connect()
      await subscriber.subscribe(TRACK)
      await publisher.wanted(TRACK)
    },
  },
  {
    identifier: 'subscribe-before-announce',
    limitMs: 3500,
    run: async (connect) => {
      const subscriber = await connect()
      const outcome = subscriber.subscribe(TRACK).then(
        () => 'accepted',
        (error: Error) => error.message,
      )
      const publisher = await connect()
      await publisher.serve(TRACK)
      await publisher.publishNamespace(NAMESPACE)
      expect(await outcome).toMatch(/^(accepted|refused: 0x10 .+)$/)
      // The refusal was no more than that: the track can be had now.
      if ((await outcome) !== 'accepted') await subscriber.subscribe(TRACK)
      await publisher.wanted(TRACK)
    },
  },
  {
    identifier: 'single-object',
    limitMs: 3000,
    run: async (connect) => {
      const { publisher, subscriber } = await pair(connect)
      await publisher.sendGroup(TRACK, 0, ['alone'])
      await arrives(subscriber, [['alone']])
    },
  },
  {
    identifier: 'single-group',
    limitMs: 3000,
    run: async (connect) => {
      const { publisher, subscriber } = await pair(connect)
      const payloads = Array.from({ length: 20 }, (_, index) => `object ${index}`)
      await publisher.sendGroup(TRACK, 0, payloads)
      await arrives(subscriber, [payloads])
    },
  },
  {
    identifier: 'multiple-groups',
    limitMs: 3000,
    run: async (connect) => {
      const { publisher, subscriber } = await pair(connect)
      const groups = [
        ['0.0', '0.1'],
        ['1.0', '1.1'],
        ['2.0', '2.1'],
      ]
      for (const [group, payloads] of groups.entries()) {
        await publisher.sendGroup(TRACK, group, payloads)
      }
      await arrives(subscriber, groups)
    },
  },
  {
    identifier: 'late-subscriber',
    limitMs: 3000,
    run: async (connect) => {
      const { publisher, subscriber } = await pair(connect)
      await publisher.sendGroup(TRACK, 0, ['early'])
      await arrives(subscriber, [['early']])
      const late = await connect()
      await late.subscribe(TRACK)
      await publisher.sendGroup(TRACK, 1, ['later'])
      await arrives(subscriber, [['early'], ['later']])
      // Its filter starts behind the largest object at the time of its SUBSCRIBE (section 5.1.2).
      await arrives(late, [[], ['later']])
    },
  },
]

async function pair(connect: () => Promise<NodeClient>) {
  const publisher = await connect()
  await publisher.serve(TRACK)
  await publisher.publishNamespace(NAMESPACE)
  const subscriber = await connect()
  await subscriber.subscribe(TRACK)
  return { publisher, subscriber }
}

async function arrives(client: NodeClient, groups: readonly string[][]): Promise<void> {
  const expected: Received[] = groups.flatMap((payloads, group) =>
    payloads.map((payload, object) => ({ group, object, payload, datagram: false })),
  )
  await expect.poll(() => client.received(TRACK), POLL).toEqual(expected)
}

let relay: InteropRelay

beforeAll(async () => {
  relay = await startInteropRelay()
})

afterAll(async () => {
  await relay?.process.stop()
})

describe.each<Wire>(['webtransport', 'quic'])('interop cases by %s', (wire) => {
  let clients: NodeClient[] = []

  afterEach(() => {
    for (const client of clients) client.session?.close(SessionCode.NO_ERROR, '')
    clients = []
  })

  const connect = async () => {
    const client = new NodeClient(wire)
    clients.push(client)
    expect(await client.connect(relay)).toBe('moqt-18')
    return client
  }

  for (const { identifier, limitMs, run } of CASES) {
    it(identifier, { timeout: limitMs }, async () => {
      await run(connect)
      for (const client of clients) {
        expect(client.session.closed).toBe(false)
        await client.close()
      }
    })
  }
})
