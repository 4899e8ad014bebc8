/**
 * Real parts: Chromium, the bundle that vite makes, TCP with TLS, and the relay's WebSocket engine.
 * A relay that echoes stands for the rest.
 */

import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  CloseInfo,
  SendStream,
  TransportHandler,
  TransportSession,
} from '../../moq/transport/transport.ts'
import { makeSelfSigned } from '../../sfu/certificate/index.ts'
import type { Engine, EngineOptions } from '../../sfu/engine/engine.ts'
import { createWebSocketEngine } from '../../sfu/engine/fails/index.ts'
import { isEngineInstalled } from '../../sfu/engine/index.ts'
import { launchChromium } from '../../test/support/chromium.ts'
import type { ConnectOptions } from '../transport/connect.ts'
import { type Abilities, BURST, COMMANDS, PACED_BYTES } from './transport-page/abilities.ts'
import type { EchoResult } from './transport-page/worker.ts'

const quiche = await isEngineInstalled('quiche')

let out: string
let web: Server
let origin: string
let engine: Engine
let browser: Browser
let page: Page
const closed: CloseInfo[] = []
const paths: string[] = []

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'sotto-transport-'))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'esnext',
      rollupOptions: {
        input: { worker: join(import.meta.dirname, 'transport-page/worker.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunk-[name].js' },
      },
    },
  })
  web = createServer(async (request, response) => {
    if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>test</title>')
      return
    }
    const file = await readFile(join(out, request.url!)).catch(() => null)
    if (file === null) response.writeHead(404).end()
    else response.setHeader('Content-Type', 'text/javascript').end(file)
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const address = web.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  engine = await createWebSocketEngine(await engineOptions())
  browser = await launchChromium(['--ignore-certificate-errors'])
  page = await browser.newPage()
  await page.goto(origin)
})

afterAll(async () => {
  await browser?.close()
  await engine?.close()
  web?.close()
  if (out !== undefined) await rm(out, { recursive: true, force: true })
})

async function engineOptions(): Promise<EngineOptions> {
  const { cert, key } = await makeSelfSigned([], Date.now())
  return {
    host: '127.0.0.1',
    port: 0,
    certificate: { certPem: cert, keyPem: key },
    protocols: ['moqt-18'],
    accept: (request) => ({ accept: true, protocol: request.protocol }),
    onSession(session) {
      paths.push(session.path)
      session.handler = echoing(session)
    },
    log: { debug() {}, info() {}, warn() {} },
    clock: { now: () => performance.now() },
    randomBytes: (length) => randomBytes(length),
  }
}

function echoing(session: TransportSession): TransportHandler {
  let greeted = false
  const greet = () => {
    if (greeted) return
    const stream = session.openUni(0)
    if (stream === null) return
    greeted = true
    stream.write(new TextEncoder().encode('welcome'))
    stream.finish()
  }
  queueMicrotask(greet)
  return {
    onUni() {},
    onBidi({ send, receive }) {
      receive.handler = {
        onBytes(bytes, fin) {
          send.write(bytes)
          if (fin) send.finish()
        },
        onReset: (code) => send.reset(code),
      }
    },
    onDatagram: (bytes) => void session.sendDatagram(bytes),
    onStreamCredit: greet,
    onRoom() {},
    onClosed: (info) => closed.push(info),
  }
}

interface Notes {
  /** Bytes of streams that ended well, by how many had so many. */
  ended: Map<number, number>
  resets: number[]
  stops: number[]
}

/** A relay that does what the streams of `abilities.ts` ask for. */
function obeying(session: TransportSession, notes: Notes): TransportHandler {
  let opened: SendStream | null = null
  const open = () => {
    const stream = session.openUni(0)
    opened = stream
    if (stream === null) return
    stream.handler = {
      onStopped(code) {
        notes.stops.push(code)
        closeWhenDone()
      },
    }
    stream.write(new Uint8Array(10))
  }
  // Streams overtake each other, so only what has arrived says that all is done.
  const closeWhenDone = () => {
    const done = notes.ended.get(100) === BURST && notes.ended.has(PACED_BYTES + 1)
    if (done && notes.stops.length > 0) session.close(0x10, 'too slow')
  }
  return {
    onUni(stream) {
      let command = 0
      let length = 0
      stream.handler = {
        onBytes(bytes, fin) {
          if (length === 0) command = bytes[0] ?? 0
          length += bytes.length
          if (command === COMMANDS.stop) stream.stop(7)
          if (!fin) return
          if (command === COMMANDS.note) notes.ended.set(length, (notes.ended.get(length) ?? 0) + 1)
          if (command === COMMANDS.open) open()
          if (command === COMMANDS.resetOpened) opened?.reset(9)
          closeWhenDone()
        },
        onReset: (code) => notes.resets.push(code),
      }
    },
    onBidi() {},
    onDatagram() {},
    onStreamCredit: open,
    onRoom() {},
    onClosed() {},
  }
}

type Answer = { result: EchoResult | Abilities } | { error: string; code: string | null }

/** Runs `connect` and the echo in a worker of the page. */
function inWorker(
  options: Partial<ConnectOptions> & { task?: 'echo' | 'abilities' },
): Promise<Answer> {
  return page.evaluate(
    (message) =>
      new Promise<Answer>((resolve) => {
        const worker = new Worker('/worker.js', { type: 'module' })
        worker.onmessage = ({ data }) => resolve(data)
        worker.onerror = (event) => resolve({ error: event.message, code: null })
        worker.postMessage(message)
      }),
    {
      task: 'echo' as 'echo' | 'abilities',
      url: `https://127.0.0.1:${engine.address.port}/?room=demo`,
      protocols: ['moqt-18'],
      ...options,
    },
  )
}

describe('connect in Chromium', () => {
  it('puts the WebSocket client into a chunk of its own', async () => {
    const files = await readdir(out)
    expect(files).toContain('worker.js')
    const entry = await readFile(join(out, 'worker.js'), 'utf8')
    expect(entry).not.toContain('webtransport_')
    expect(entry.length).toBeLessThan(40_000)
    expect(files.filter((file) => file.startsWith('chunk-')).length).toBeGreaterThan(0)
  })

  it('echoes a stream and a datagram over WebSocket', async () => {
    const answer = await inWorker({ prefer: 'websocket' })
    expect(answer).toEqual({
      result: {
        transport: 'websocket',
        protocol: 'moqt-18',
        peer: `127.0.0.1:${engine.address.port}`,
        stream: { bytes: 300_000, intact: true },
        datagram: [1, 2, 3],
        greeting: 'welcome',
        maxDatagramSize: 1_200,
        closed: { by: 'local', code: 0, reason: 'done' },
        contacted: [],
      },
    })
    await expect.poll(() => closed).toEqual([{ by: 'peer', code: 0, reason: 'done' }])
    expect(paths).toEqual(['/?room=demo'])
  })

  it('falls to WebSocket where nothing answers over UDP', async () => {
    const answer = await inWorker({ timeoutMs: 1_000 })
    expect(answer).toMatchObject({
      result: {
        transport: 'websocket',
        stream: { intact: true },
        contacted: [`127.0.0.1:${engine.address.port}`],
      },
    })
  })

  it.skipIf(!quiche)(
    `echoes over WebTransport${quiche ? '' : ': skipped, no quiche'}`,
    async () => {
      const { createQuicheEngine } = await import('../../sfu/engine/quiche/index.ts')
      const { cert, key, sha256 } = await makeSelfSigned([], Date.now())
      const udp = await createQuicheEngine({
        ...(await engineOptions()),
        certificate: { certPem: cert, keyPem: key },
      })
      closed.length = 0
      const peer = `127.0.0.1:${udp.address.port}`
      const answer = await inWorker({
        url: `https://${peer}/?room=demo`,
        certificateHashes: [sha256],
      })
      expect(answer).toEqual({
        result: {
          transport: 'webtransport',
          protocol: 'moqt-18',
          peer,
          stream: { bytes: 300_000, intact: true },
          datagram: [1, 2, 3],
          greeting: 'welcome',
          maxDatagramSize: expect.any(Number),
          closed: { by: 'local', code: 0, reason: 'done' },
          contacted: [peer],
        },
      })
      await expect.poll(() => closed).toEqual([{ by: 'peer', code: 0, reason: 'done' }])
      await udp.close()
    },
  )

  describe.each(
    quiche ? (['webtransport', 'websocket'] as const) : (['websocket'] as const),
  )('over %s', (prefer) => {
    it('resets, stops, paces, opens many streams and is closed', async () => {
      const notes: Notes = { ended: new Map(), resets: [], stops: [] }
      const { cert, key, sha256 } = await makeSelfSigned([], Date.now())
      const relay = await (prefer === 'websocket'
        ? createWebSocketEngine
        : (await import('../../sfu/engine/quiche/index.ts')).createQuicheEngine)({
        ...(await engineOptions()),
        certificate: { certPem: cert, keyPem: key },
        limits: { uniStreams: 100 },
        onSession(session) {
          session.handler = obeying(session, notes)
        },
      })
      const url = `https://127.0.0.1:${relay.address.port}/`
      const answer = await inWorker({ task: 'abilities', url, prefer, certificateHashes: [sha256] })
      expect(answer).toMatchObject({
        result: {
          stopped: 7,
          reset: 9,
          closed: { by: 'peer', code: 0x10, reason: 'too slow' },
        },
      })
      expect('result' in answer && 'rooms' in answer.result && answer.result.rooms).toBeGreaterThan(
        1,
      )
      await expect.poll(() => notes.stops).toEqual([0x12])
      expect(notes.ended.get(100)).toBe(BURST)
      expect(notes.ended.get(PACED_BYTES + 1)).toBe(1)
      // The stream may have been reset before the browser had told the relay of it.
      expect([[], [5]]).toContainEqual(notes.resets)
      await relay.close()
    })
  })

  it('says that a relay cannot be reached', async () => {
    const gone = await createWebSocketEngine(await engineOptions())
    const url = `https://127.0.0.1:${gone.address.port}/`
    await gone.close()
    expect(await inWorker({ url, prefer: 'websocket' })).toMatchObject({ code: 'unreachable' })
  })
})
