import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type ControlMessage,
  codecFor,
  createTransportPair,
  namespaceOf,
  Reader,
  RequestCode,
  type RequestMessage,
  Session,
  type SessionHandler,
  trackOf,
} from './index.ts'
import { example } from './readme.example.ts'
import { MESSAGE_ID } from './wire/bodies.ts'

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

const readme = read('README.md')
const codec = codecFor('moqt-18')
const namespace = namespaceOf('sotto', 'demo')
const track = trackOf(namespace, 'audio')

/** One of every message that begins a request. */
const REQUESTS: RequestMessage[] = [
  { type: 'SUBSCRIBE', requestId: 0, track, parameters: {} },
  { type: 'TRACK_STATUS', requestId: 0, track, parameters: {} },
  { type: 'PUBLISH', requestId: 0, track, trackAlias: 1, parameters: {}, properties: [] },
  {
    type: 'FETCH',
    requestId: 0,
    range: { kind: 'standalone', track, start: at(0), end: at(1) },
    parameters: {},
  },
  { type: 'PUBLISH_NAMESPACE', requestId: 0, namespace, parameters: {} },
  { type: 'SUBSCRIBE_NAMESPACE', requestId: 0, prefix: namespace, parameters: {} },
  { type: 'SUBSCRIBE_TRACKS', requestId: 0, prefix: namespace, parameters: {} },
]

function at(group: number) {
  return { group, object: 0 }
}

/** Accepts everything for which a session has a method. */
const WILLING: SessionHandler = {
  onSubscribe: (request) => void request.accept({ trackAlias: 1, largest: null }, {}),
  onTrackStatus: (request) => request.accept({ largest: null, properties: [] }),
  onPublishNamespace: (request) => request.accept(),
  onSubscribeNamespace: (request) => request.accept(),
}

/** What a session answers to a request that comes as bytes. */
async function answerTo(request: RequestMessage): Promise<ControlMessage> {
  const { client, server } = createTransportPair()
  new Session(server, { role: 'server', handler: WILLING })
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    client.handler = {
      onUni: (stream) => {
        stream.handler = { onBytes() {}, onReset() {} }
      },
      onBidi() {},
      onDatagram() {},
      onStreamCredit() {},
      onRoom() {},
      onClosed: ({ reason }) => reject(new Error(reason)),
    }
    client.openUni(0)!.write(codec.encode({ type: 'SETUP', options: [] }))
    const { send, receive } = client.openBidi(1)!
    receive.handler = { onBytes: (bytes) => resolve(bytes), onReset() {} }
    send.write(codec.encode(request))
  })
  const reader = new Reader(await answer)
  const type = reader.vi64('type')
  const end = reader.uint16() + reader.offset
  return codec.decode(type, new Reader(reader.source, reader.offset, end), 'request')
}

describe('README', () => {
  it('shows an example that runs', async () => {
    expect(await new Promise((resolve) => example(resolve))).toBe('hello')
    const published = read('readme.example.ts').replace("'./index.ts'", "'sotto/moq'")
    expect(readme).toContain(`\`\`\`ts\n${published}\`\`\``)
  })

  it('states of every message how far it is supported', () => {
    for (const type of Object.keys(MESSAGE_ID)) {
      expect(readme).toMatch(new RegExp(`^\\| \`${type}\` \\| 10\\.\\d+ \\| (session|codec)`, 'm'))
    }
  })

  it.each(REQUESTS)('says truly whether a session takes $type', async (request) => {
    const answer = await answerTo(request)
    const refused = answer.type === 'REQUEST_ERROR' && answer.code === RequestCode.NOT_SUPPORTED
    const state = readme.match(
      new RegExp(`^\\| \`${request.type}\` \\| [\\d.]+ \\| (.*) \\|$`, 'm'),
    )
    expect(state?.[1]).toMatch(refused ? /^codec; answered `NOT_SUPPORTED`$/ : /^session/)
  })

  it('names only what the package exports, for browsers or for Node', async () => {
    const entries = await Promise.all([import('./index.ts'), import('./node/index.ts')])
    const exported = new Set(entries.flatMap((entry) => Object.keys(entry)))
    const [, rooms] = readme.split('## What is here')
    const table = rooms!.split('\n\n')[2]!
    const types = ['SessionHandler', 'SessionLimits', 'TransportSession']
    const named = [...table.matchAll(/`(\w+)(?:\([^`]*\))?`/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(15)
    expect(named.filter((name) => !exported.has(name) && !types.includes(name))).toEqual([])
  })
})
