/** Runs in the browser, in a worker: connects, and sends bytes to and fro with an echoing relay. */

import type {
  BidiStream,
  ReceiveStream,
  TransportHandler,
} from '../../../moq/transport/transport.ts'
import { ConnectError, type ConnectOptions, connect } from '../../transport/connect.ts'
import { abilities } from './abilities.ts'

export interface EchoResult {
  transport: string
  protocol: string
  peer: string
  /** Bytes that came back on a bidirectional stream, and whether they were the ones sent. */
  stream: { bytes: number; intact: boolean }
  datagram: number[]
  /** What came on a unidirectional stream of the relay's. */
  greeting: string
  maxDatagramSize: number
  closed: { by: string; code: number; reason: string }
  /** Hosts that a `WebTransport` was opened to. */
  contacted: string[]
}

const contacted: string[] = []
const { WebTransport } = globalThis as { WebTransport?: new (url: string, init: object) => object }
if (WebTransport !== undefined) {
  const watched = new Proxy(WebTransport, {
    construct(target, [url, init]) {
      contacted.push(new URL(url).host)
      return new target(url, init)
    },
  })
  Object.defineProperty(globalThis, 'WebTransport', { value: watched, configurable: true })
}

const tasks = { echo, abilities }

self.onmessage = async ({
  data,
}: MessageEvent<{ task: 'echo' | 'abilities' } & ConnectOptions>) => {
  try {
    self.postMessage({ result: await tasks[data.task](data) })
  } catch (error) {
    const code = error instanceof ConnectError ? error.code : null
    self.postMessage({ error: String(error), code })
  }
}

async function echo(options: ConnectOptions): Promise<EchoResult> {
  const { session, transport } = await connect(options)
  const sent = new Uint8Array(300_000).map((_, index) => (index * 7 + (index >> 8)) & 0xff)
  const back: Uint8Array[] = []
  const greeting = Promise.withResolvers<string>()
  const streamDone = Promise.withResolvers<void>()
  const datagram = Promise.withResolvers<number[]>()
  const closed = Promise.withResolvers<EchoResult['closed']>()

  const handler: TransportHandler = {
    onUni(stream: ReceiveStream) {
      let text = ''
      stream.handler = {
        onBytes(bytes, fin) {
          text += new TextDecoder().decode(bytes)
          if (fin) greeting.resolve(text)
        },
        onReset: (code) => greeting.reject(new Error(`reset ${code}`)),
      }
    },
    onBidi(_stream: BidiStream) {},
    onDatagram: (bytes) => datagram.resolve([...bytes]),
    onStreamCredit: () => open(),
    onRoom() {},
    onClosed: (info) => closed.resolve({ ...info }),
  }
  session.handler = handler

  let opened = false
  const open = () => {
    if (opened) return
    const stream = session.openBidi(0)
    if (stream === null) return
    opened = true
    stream.receive.handler = {
      onBytes(bytes, fin) {
        back.push(bytes)
        if (fin) streamDone.resolve()
      },
      onReset: (code) => streamDone.reject(new Error(`reset ${code}`)),
    }
    stream.send.write(sent)
    stream.send.finish()
  }
  open()
  // A datagram may be lost like any other, so it is sent until one has come back.
  const sendDatagram = () => void session.sendDatagram(new Uint8Array([1, 2, 3]))
  sendDatagram()
  const again = setInterval(sendDatagram, 200)
  datagram.promise.then(() => clearInterval(again))
  await streamDone.promise
  const { maxDatagramSize } = session
  const result = {
    transport,
    protocol: session.protocol,
    peer: session.peer,
    stream: compare(back, sent),
    datagram: await datagram.promise,
    greeting: await greeting.promise,
    maxDatagramSize,
    contacted,
  }
  session.close(0, 'done')
  return { ...result, closed: await closed.promise }
}

function compare(chunks: Uint8Array[], sent: Uint8Array): EchoResult['stream'] {
  let at = 0
  let intact = true
  for (const chunk of chunks) {
    for (const byte of chunk) {
      if (byte !== sent[at]) intact = false
      at++
    }
  }
  return { bytes: at, intact: intact && at === sent.length }
}
