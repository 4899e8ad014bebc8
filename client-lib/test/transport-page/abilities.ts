/**
 * Runs in the browser, in a worker: what a call needs of the transport besides an echo. Once the
 * relay has seen everything it closes the session with code 0x10.
 */

import type { SendStream, TransportHandler } from '../../../moq/transport/transport.ts'
import { type ConnectOptions, connect } from '../../transport/connect.ts'

/** First byte of a stream of the page's: what the relay is to do with it. */
export const COMMANDS = {
  /** Note how it ends and how many bytes it had. */
  note: 1,
  /** Stop it with code 7. */
  stop: 2,
  /** Open a stream, write, and keep it open. */
  open: 3,
  /** Reset the stream that was opened last with code 9. */
  resetOpened: 4,
} as const

export interface Abilities {
  stopped: number
  reset: number
  rooms: number
  closed: { by: string; code: number; reason: string }
}

export const BURST = 300
export const PACED_BYTES = 2_000_000

export async function abilities(options: ConnectOptions): Promise<Abilities> {
  const { session } = await connect(options)
  const stopped = Promise.withResolvers<number>()
  const reset = Promise.withResolvers<number>()
  const paced = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<Abilities['closed']>()
  const wanting: ((stream: SendStream) => void)[] = []
  let received = 0
  let rooms = 0
  let pacedLeft = PACED_BYTES
  let pacedStream: SendStream | null = null

  const openAll = () => {
    while (wanting.length > 0) {
      const stream = session.openUni(0)
      if (stream === null) return
      wanting.shift()?.(stream)
    }
  }
  const withStream = (use: (stream: SendStream) => void) => {
    wanting.push(use)
    openAll()
  }
  const command = (code: number) =>
    withStream((stream) => {
      stream.write(new Uint8Array([code]))
      stream.finish()
    })

  const handler: TransportHandler = {
    onUni(stream) {
      const number = received++
      stream.handler = {
        onBytes() {
          // The first is reset by the relay, the second is stopped by us.
          if (number === 0) command(COMMANDS.resetOpened)
          else stream.stop(0x12)
        },
        onReset(code) {
          if (number !== 0) return
          reset.resolve(code)
          command(COMMANDS.open)
        },
      }
    },
    onBidi() {},
    onDatagram() {},
    onStreamCredit: openAll,
    onRoom(bytes) {
      rooms++
      const size = Math.min(bytes, pacedLeft)
      pacedLeft -= size
      pacedStream?.write(new Uint8Array(size))
      if (pacedLeft > 0) session.wantRoom()
      else {
        pacedStream?.finish()
        paced.resolve()
      }
    },
    onClosed: (info) => closed.resolve({ ...info }),
  }
  session.handler = handler

  withStream((stream) => {
    stream.handler = { onStopped: (code) => stopped.resolve(code) }
    stream.write(new Uint8Array([COMMANDS.stop]))
  })
  await stopped.promise
  withStream((stream) => {
    stream.write(new Uint8Array([COMMANDS.note, 0, 0]))
    stream.reset(5)
  })
  for (let i = 0; i < BURST; i++) {
    withStream((stream) => {
      stream.write(new Uint8Array(100).fill(COMMANDS.note))
      stream.finish()
    })
  }
  command(COMMANDS.open)
  await reset.promise
  withStream((stream) => {
    pacedStream = stream
    stream.write(new Uint8Array([COMMANDS.note]))
    session.wantRoom()
  })
  await paced.promise
  return {
    stopped: await stopped.promise,
    reset: await reset.promise,
    rooms,
    closed: await closed.promise,
  }
}
