/** The quiche engine with a real browser: starts Chromium and an engine on loopback. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  BidiStream,
  ReceiveStream,
  TransportSession,
} from '../../../moq/transport/transport.ts'
import { launchChromium } from '../../../test/support/chromium.ts'
import type { Engine } from '../engine.ts'
import { createQuicheEngine } from '../quiche/index.ts'
import { makeCertificate, silentHandler, testOptions } from '../test-support.ts'

const resets: number[] = []
const stops: number[] = []
const certificate = makeCertificate()
let engine: Engine
let web: Server
let browser: Browser
let page: Page

/** What the page sees of the server is decided by the path that it asks for. */
function serve(session: TransportSession): void {
  session.handler = silentHandler({
    onDatagram: (bytes) => void session.sendDatagram(bytes),
    onUni: (stream) => {
      collect(stream, (all) => {
        const answer = session.openUni(100)
        answer?.write(all)
        answer?.finish()
      })
    },
    onBidi: (stream) => serveBidi(stream),
    onStreamCredit: () => burst(session),
  })
  if (session.path === '/burst') burst(session)
  if (session.path === '/close') session.close(1234, 'the server says bye')
}

function serveBidi({ send, receive }: BidiStream): void {
  send.handler = { onStopped: (code) => stops.push(code) }
  receive.handler = {
    onBytes: (bytes, fin) => {
      const text = new TextDecoder().decode(bytes)
      if (text === 'reset me') {
        send.reset(42)
      } else if (text === 'stop me') {
        receive.stop(43)
      } else {
        send.write(bytes)
        if (fin) send.finish()
      }
    },
    onReset: (code) => resets.push(code),
  }
}

function collect(stream: ReceiveStream, done: (all: Uint8Array) => void): void {
  const parts: Uint8Array[] = []
  stream.handler = {
    onBytes: (bytes, fin) => {
      parts.push(bytes)
      if (fin) done(Buffer.concat(parts))
    },
    onReset: (code) => resets.push(code),
  }
}

let burstSent = 0
function burst(session: TransportSession): void {
  for (; burstSent < 300; burstSent++) {
    const stream = session.openUni(100)
    if (stream === null) return
    stream.write(new TextEncoder().encode(`object ${burstSent}`))
    stream.finish()
  }
}

interface Connected {
  transport: WebTransport
  protocol: unknown
}

/** Defined in the page: connects, reads a stream to its end, tells what an error says. */
interface Tools {
  connect(path: string, protocols?: string[]): Promise<Connected>
  readAll(stream: ReadableStream<Uint8Array>): Promise<string>
  errorCode(promise: Promise<unknown>): Promise<string>
}

declare global {
  interface Window {
    tools: Tools
  }
}

beforeAll(async () => {
  engine = await createQuicheEngine(testOptions(certificate, { onSession: serve }))
  web = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>test</title>')
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  browser = await launchChromium()
  page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(web.address() as AddressInfo).port}/`)
  await page.evaluate(
    ([port, hash]) => {
      const value = Uint8Array.from(hash!.match(/../g)!, (pair) => Number.parseInt(pair, 16))
      const serverCertificateHashes = [{ algorithm: 'sha-256', value }]
      window.tools = {
        async connect(path, protocols = ['moqt-99', 'moqt-18']) {
          const options = { serverCertificateHashes, protocols }
          const transport = new WebTransport(`https://127.0.0.1:${port}${path}`, options)
          transport.closed.catch(() => {})
          await transport.ready
          return { transport, protocol: (transport as { protocol?: unknown }).protocol }
        },
        async readAll(stream) {
          const decoder = new TextDecoder()
          let text = ''
          for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
            text += decoder.decode(part, { stream: true })
          }
          return text
        },
        async errorCode(promise) {
          try {
            await promise
            return 'no error'
          } catch (error) {
            const { name, streamErrorCode } = error as { name: string; streamErrorCode: unknown }
            return `${name} ${String(streamErrorCode)}`
          }
        },
      }
    },
    [String(engine.address.port), certificate.sha256],
  )
})

afterAll(async () => {
  await browser?.close()
  web?.close()
  await engine?.close()
})

describe('the quiche engine serves Chromium', () => {
  it('agrees on the protocol and echoes datagrams', async () => {
    const result = await page.evaluate(async () => {
      const { transport, protocol } = await window.tools.connect('/echo')
      const writer = transport.datagrams.writable.getWriter()
      const reader = transport.datagrams.readable.getReader()
      let echoed = 0
      for (let i = 0; i < 50; i++) {
        await writer.write(new Uint8Array([i, 2, 3]))
        const { value } = await reader.read()
        if ((value as Uint8Array)[0] === i) echoed++
      }
      const { maxDatagramSize } = transport.datagrams
      transport.close()
      return { protocol, echoed, maxDatagramSize }
    })
    expect(result.protocol).toBe('moqt-18')
    expect(result.echoed).toBe(50)
    expect(result.maxDatagramSize).toBeGreaterThan(1000)
  })

  it('echoes 200 unidirectional streams', async () => {
    const echoed = await page.evaluate(async () => {
      const { transport } = await window.tools.connect('/echo')
      const incoming = transport.incomingUnidirectionalStreams.getReader()
      const texts = new Set<string>()
      for (let i = 0; i < 200; i++) {
        const writer = (await transport.createUnidirectionalStream()).getWriter()
        await writer.write(new TextEncoder().encode(`uni ${i}`))
        await writer.close()
        const { value } = await incoming.read()
        texts.add(await window.tools.readAll(value as ReadableStream<Uint8Array>))
      }
      transport.close()
      return texts.size
    })
    expect(echoed).toBe(200)
  })

  it('echoes bidirectional streams, small and large', async () => {
    const lengths = await page.evaluate(async () => {
      const { transport } = await window.tools.connect('/echo')
      const lengths: number[] = []
      for (const length of [1, 1_000, 2_000_000]) {
        const { readable, writable } = await transport.createBidirectionalStream()
        const writer = writable.getWriter()
        const writing = writer.write(new Uint8Array(length).fill(65)).then(() => writer.close())
        lengths.push((await window.tools.readAll(readable)).length)
        await writing
      }
      transport.close()
      return lengths
    })
    expect(lengths).toEqual([1, 1_000, 2_000_000])
  })

  it('carries reset and stop codes both ways', async () => {
    const seen = await page.evaluate(async () => {
      const { connect, errorCode } = window.tools
      const { transport } = await connect('/echo')
      const encode = (text: string) => new TextEncoder().encode(text)
      const open = async (text: string) => {
        const { readable, writable } = await transport.createBidirectionalStream()
        const reader = readable.getReader()
        const writer = writable.getWriter()
        await writer.write(encode(text))
        return { reader, writer }
      }
      const failure = (code: number) =>
        // biome-ignore lint/suspicious/noExplicitAny: the DOM types lack the options
        new (WebTransportError as any)({ message: 'x', streamErrorCode: code })

      const reset = await open('reset me')
      const resetByServer = await errorCode(reset.reader.read())
      const stop = await open('stop me')
      const stoppedByServer = await errorCode(stop.writer.closed)
      const aborted = await open('echo')
      await aborted.reader.read()
      await aborted.writer.abort(failure(7)).catch(() => {})
      const cancelled = await open('echo')
      await cancelled.reader.read()
      await cancelled.reader.cancel(failure(9)).catch(() => {})
      // A round trip later, the server knows.
      const last = await open('echo')
      await last.reader.read()
      transport.close()
      return { resetByServer, stoppedByServer }
    })
    expect(seen.resetByServer).toBe('WebTransportError 42')
    expect(seen.stoppedByServer).toBe('WebTransportError 43')
    await expect.poll(() => resets).toContain(7)
    await expect.poll(() => stops).toContain(9)
  })

  it('sends 300 streams in a burst, as fast as the browser gives credit', async () => {
    const texts = await page.evaluate(async () => {
      const { transport } = await window.tools.connect('/burst')
      const incoming = transport.incomingUnidirectionalStreams.getReader()
      const texts: string[] = []
      while (texts.length < 300) {
        const { value } = await incoming.read()
        texts.push(await window.tools.readAll(value as ReadableStream<Uint8Array>))
      }
      transport.close()
      return texts
    })
    expect(new Set(texts).size).toBe(300)
    expect(texts).toContain('object 299')
  })

  it('tells the browser code and reason of a close', async () => {
    const info = await page.evaluate(async () => {
      const { transport } = await window.tools.connect('/close')
      const { closeCode, reason } = await transport.closed
      return { closeCode, reason }
    })
    expect(info).toEqual({ closeCode: 1234, reason: 'the server says bye' })
  })

  it('refuses a browser that offers no protocol we speak', async () => {
    const before = engine.stats().sessionsRefused
    const outcome = await page.evaluate(() =>
      window.tools.connect('/echo', ['moqt-99']).then(
        () => 'connected',
        () => 'refused',
      ),
    )
    expect(outcome).toBe('refused')
    expect(engine.stats().sessionsRefused).toBe(before + 1)
  })
})
