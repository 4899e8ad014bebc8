/** MoQT directly over QUIC: the ALPN is the MoQT version, every stream and datagram is MoQT's. */

import { SESSION_INTERNAL_ERROR } from '../codes.ts'
import type { CloseInfo } from '../transport.ts'
import type { Application, Connection, ConnectionEnd } from './connection.ts'
import { type Carrier, QuicSession } from './session.ts'
import { RAW_CODES } from './stream-codes.ts'
import type { QuicBidiStream, QuicReceiveStream } from './streams.ts'

export class RawApplication implements Application {
  readonly codes = { done: 0, internalError: SESSION_INTERNAL_ERROR }
  readonly session: QuicSession

  constructor(connection: Connection, protocol: string, path: string, onClosed: () => void) {
    this.session = new QuicSession(connection, rawCarrier(connection), { protocol, path }, onClosed)
  }

  get ready(): boolean {
    return this.session.ready
  }

  onFlush(): void {
    this.session.onFlush()
  }

  onUni(stream: QuicReceiveStream): void {
    this.session.deliverUni(stream)
  }

  onBidi(stream: QuicBidiStream): void {
    this.session.deliverBidi(stream)
  }

  onDatagram(bytes: Uint8Array): void {
    this.session.deliverDatagram(bytes)
  }

  onStreamCredit(): void {
    this.session.onStreamCredit()
  }

  onRoom(bytes: number): void {
    this.session.onRoom(bytes)
  }

  onOverflow(reason: string): void {
    this.session.onOverflow(reason)
  }

  onEnd(end: ConnectionEnd): void {
    this.session.end(closeInfo(end))
  }
}

function rawCarrier(connection: Connection): Carrier {
  return {
    kind: 'quic',
    codes: RAW_CODES,
    uniPreface: null,
    bidiPreface: null,
    datagramPrefix: null,
    resetsAtClose: false,
    sendClose(code, reason) {
      connection.transmit()
      connection.close(true, code, reason)
    },
  }
}

/** A session termination code when the peer's application gave one, else what went wrong below it. */
export function closeInfo(end: ConnectionEnd): CloseInfo {
  if (end.isApplication) {
    return { by: end.by === 'timeout' ? 'transport' : end.by, code: end.code, reason: end.reason }
  }
  const reason =
    end.by === 'timeout' ? end.reason : `QUIC error 0x${end.code.toString(16)} ${end.reason}`.trim()
  return { by: 'transport', code: SESSION_INTERNAL_ERROR, reason }
}
