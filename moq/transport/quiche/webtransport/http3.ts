/**
 * HTTP/3 on a connection, as far as one WebTransport session needs it (RFC 9114; RFC 9220;
 * draft-ietf-webtrans-http3): the control streams, the CONNECT request, and the sorting of streams
 * and datagrams into the session. `Http3Server` and `Http3Client` do what differs.
 */

import type { Application, Connection, ConnectionEnd } from '../connection.ts'
import * as errors from '../h3/errors.ts'
import { H3Error } from '../h3/errors.ts'
import {
  encodeControlStream,
  encodeFrame,
  FRAME_DATA,
  STREAM_CONTROL,
  STREAM_PUSH,
  STREAM_QPACK_DECODER,
  STREAM_QPACK_ENCODER,
  STREAM_WEBTRANSPORT_BIDI,
  STREAM_WEBTRANSPORT_UNI,
} from '../h3/frames.ts'
import type { Settings } from '../h3/settings.ts'
import { hasVarint, readVarint, varintLengthFrom, varints } from '../h3/varint.ts'
import { closeInfo } from '../raw.ts'
import { type Carrier, QuicSession, type SessionFacts } from '../session.ts'
import { RAW_CODES } from '../stream-codes.ts'
import type { QuicBidiStream, QuicReceiveStream, QuicSendStream } from '../streams.ts'
import { encodeCloseSession } from './capsules.ts'
import { ControlStream } from './control-stream.ts'
import { WEBTRANSPORT_CODES } from './error-codes.ts'
import { StreamPreface, type StreamSorter } from './preface.ts'
import { SessionIntake } from './session-intake.ts'

/** After the session's end, the peer has so long to read it before the connection is closed, ms. */
const LINGER_MS = 1000

export abstract class Http3 implements Application, StreamSorter {
  readonly codes = { done: errors.H3_NO_ERROR, internalError: errors.H3_INTERNAL_ERROR }
  protected readonly connection: Connection
  protected readonly intake = new SessionIntake()
  #now: () => number
  #criticalStreams = new Set<number>()
  #closed = false

  constructor(connection: Connection, now: () => number) {
    this.connection = connection
    this.#now = now
    const control = connection.outflow.openUni(
      0,
      encodeControlStream(connection.isServer),
      RAW_CODES,
    )
    if (control === null) this.violated(new H3Error(errors.H3_STREAM_CREATION_ERROR, 'no streams'))
  }

  protected abstract onSettings(settings: Settings): void
  /** A request stream. Only a client may open one. */
  abstract onRequest(
    receive: QuicReceiveStream,
    send: QuicSendStream,
    bytes: Uint8Array,
    fin: boolean,
  ): void

  protected onSessionClosed(_session: QuicSession): void {}

  get ready(): boolean {
    return this.intake.session === null || this.intake.session.ready
  }

  onFlush(): void {
    if (this.intake.session?.handler) this.intake.release()
    this.intake.session?.onFlush()
  }

  onStreamCredit(): void {
    this.intake.session?.onStreamCredit()
  }

  onRoom(bytes: number): void {
    this.intake.session?.onRoom(bytes)
  }

  onOverflow(reason: string): void {
    this.intake.session?.onOverflow(reason)
  }

  onEnd(end: ConnectionEnd): void {
    this.#closed = true
    this.intake.session?.end(webTransportCloseInfo(end))
  }

  // --- streams and datagrams ------------------------------------------------------------------

  onUni(stream: QuicReceiveStream): void {
    stream.interceptor = new StreamPreface(this, stream, null)
  }

  onBidi(stream: QuicBidiStream): void {
    stream.receive.interceptor = new StreamPreface(this, stream.receive, stream.send)
  }

  onSessionStream(
    sessionId: number,
    receive: QuicReceiveStream,
    send: QuicSendStream | null,
    rest: Uint8Array,
    fin: boolean,
  ): void {
    // A session is named by its request: a bidirectional stream of the client's.
    if (sessionId % 4 !== 0) throw new H3Error(errors.H3_ID_ERROR, `${sessionId} is no session id`)
    this.intake.stream(sessionId, receive, send, rest, fin)
  }

  onUniOfType(type: number, stream: QuicReceiveStream, rest: Uint8Array, fin: boolean): void {
    switch (type) {
      case STREAM_CONTROL:
        this.#claimCritical(type)
        stream.handler = new ControlStream(
          (settings) => this.onSettings(settings),
          (error) => this.failed(error),
        )
        break
      case STREAM_QPACK_ENCODER:
      case STREAM_QPACK_DECODER:
        // Without a dynamic table there is nothing in them that concerns us.
        this.#claimCritical(type)
        stream.handler = { onBytes: () => {}, onReset: () => {} }
        break
      case STREAM_PUSH:
        throw new H3Error(errors.H3_STREAM_CREATION_ERROR, 'a push stream')
      default:
        // Unknown types are reserved for growth (RFC 9114, Section 6.2.3).
        stream.stopRaw(errors.H3_STREAM_CREATION_ERROR)
        return
    }
    if (fin) throw new H3Error(errors.H3_CLOSED_CRITICAL_STREAM, 'a critical stream was closed')
    if (rest.length > 0) stream.deliver(rest, false)
  }

  #claimCritical(type: number): void {
    if (this.#criticalStreams.has(type)) {
      throw new H3Error(errors.H3_STREAM_CREATION_ERROR, `two streams of type ${type}`)
    }
    this.#criticalStreams.add(type)
  }

  /** An HTTP datagram: a quarter of the request's stream id, then the bytes (RFC 9297, Section 2.1). */
  onDatagram(bytes: Uint8Array): void {
    if (!hasVarint(bytes, 0)) {
      this.violated(new H3Error(errors.H3_DATAGRAM_ERROR, 'a datagram without a stream'))
      return
    }
    const sessionId = readVarint(bytes, 0) * 4
    this.intake.datagram(sessionId, bytes.subarray(varintLengthFrom(bytes[0]!)))
  }

  // --- the session ----------------------------------------------------------------------------

  protected openSession(send: QuicSendStream, facts: SessionFacts): QuicSession {
    const carrier: Carrier = {
      kind: 'webtransport',
      codes: WEBTRANSPORT_CODES,
      uniPreface: varints(STREAM_WEBTRANSPORT_UNI, send.id),
      bidiPreface: varints(STREAM_WEBTRANSPORT_BIDI, send.id),
      datagramPrefix: varints(send.id / 4),
      // Chromium 156 crashes the page when a session ends of which it has a stream whose end it has not read.
      resetsAtClose: true,
      sendClose(code, reason) {
        send.write(encodeFrame(FRAME_DATA, encodeCloseSession(code, reason)))
        send.finish()
      },
    }
    const session: QuicSession = new QuicSession(this.connection, carrier, facts, () => {
      this.#linger()
      this.onSessionClosed(session)
    })
    this.intake.open(session, send.id)
    return session
  }

  /** The peer ended the session: the answer is the end of our side. */
  protected sessionClosed(send: QuicSendStream, code: number, reason: string): void {
    send.finish()
    this.intake.session?.end({ by: 'peer', code, reason })
  }

  #linger(): void {
    if (!this.#closed) this.connection.expireAt(this.#now() + LINGER_MS)
  }

  // --- errors ---------------------------------------------------------------------------------

  /** The peer's faults close its connection, ours are passed on. */
  failed(error: unknown): void {
    if (!(error instanceof H3Error)) throw error
    this.violated(error)
  }

  protected violated(error: H3Error): void {
    if (this.#closed) return
    this.#closed = true
    this.connection.close(true, error.code, error.message)
  }
}

/** HTTP/3 codes are no session termination codes; only an orderly end is known as one. */
function webTransportCloseInfo(end: ConnectionEnd) {
  if (!end.isApplication) return closeInfo(end)
  if (end.code === errors.H3_NO_ERROR) return closeInfo({ ...end, code: 0 })
  const reason = `HTTP/3 error 0x${end.code.toString(16)} ${end.reason}`.trim()
  return { by: 'transport' as const, code: 1, reason }
}
