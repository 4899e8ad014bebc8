/**
 * Streams and datagrams on their way to a WebTransport session. QUIC may deliver them before the
 * request that makes the session: a bounded number waits, the rest is turned away
 * (draft-ietf-webtrans-http3, Section 4.6).
 */

import type { QuicSession } from '../session.ts'
import type { QuicReceiveStream, QuicSendStream } from '../streams.ts'
import { BUFFERED_STREAM_REJECTED, SESSION_GONE, WEBTRANSPORT_CODES } from './error-codes.ts'

const MAX_WAITING_STREAMS = 64
const MAX_WAITING_DATAGRAMS = 64

interface WaitingStream {
  readonly sessionId: number
  readonly receive: QuicReceiveStream
  readonly send: QuicSendStream | null
}

export class SessionIntake {
  #session: QuicSession | null = null
  #sessionId = -1
  #streams: WaitingStream[] = []
  #datagrams: { sessionId: number; bytes: Uint8Array }[] = []

  get session(): QuicSession | null {
    return this.#session
  }

  open(session: QuicSession, sessionId: number): void {
    this.#session = session
    this.#sessionId = sessionId
  }

  /**
   * Takes a stream whose preface was read.
   * @param rest what came behind the preface
   */
  stream(
    sessionId: number,
    receive: QuicReceiveStream,
    send: QuicSendStream | null,
    rest: Uint8Array,
    fin: boolean,
  ): void {
    if (this.#session !== null && this.#sessionId === sessionId) {
      this.#hand(receive, send)
      if (rest.length > 0 || fin) receive.deliver(rest, fin)
    } else if (this.#session === null && this.#streams.length < MAX_WAITING_STREAMS) {
      // Unread, it costs us nothing but what flow control has already let in.
      receive.pause()
      if (rest.length > 0 || fin) receive.deliver(rest, fin)
      this.#streams.push({ sessionId, receive, send })
    } else {
      refuse(receive, send, this.#session === null ? BUFFERED_STREAM_REJECTED : SESSION_GONE)
    }
  }

  datagram(sessionId: number, bytes: Uint8Array): void {
    if (this.#session !== null) {
      if (this.#sessionId === sessionId) this.#session.deliverDatagram(bytes)
    } else if (this.#datagrams.length < MAX_WAITING_DATAGRAMS) {
      this.#datagrams.push({ sessionId, bytes })
    }
  }

  /** Hands over what waited, once the session has an owner. Called from the flush. */
  release(): void {
    if (this.#session === null || this.#streams.length + this.#datagrams.length === 0) return
    const streams = this.#streams
    const datagrams = this.#datagrams
    this.#streams = []
    this.#datagrams = []
    for (const { sessionId, receive, send } of streams) {
      if (sessionId !== this.#sessionId) {
        refuse(receive, send, BUFFERED_STREAM_REJECTED)
        continue
      }
      // The owner's own wish to pause is taken for the first time here.
      receive.resume()
      this.#hand(receive, send)
      receive.deliverHeld()
    }
    for (const { sessionId, bytes } of datagrams) this.datagram(sessionId, bytes)
  }

  #hand(receive: QuicReceiveStream, send: QuicSendStream | null): void {
    receive.codes = WEBTRANSPORT_CODES
    receive.handler = null
    if (send === null) {
      this.#session?.deliverUni(receive)
    } else {
      send.codes = WEBTRANSPORT_CODES
      this.#session?.deliverBidi({ send, receive })
    }
  }
}

function refuse(receive: QuicReceiveStream, send: QuicSendStream | null, code: number): void {
  receive.stopRaw(code)
  send?.resetRaw(code)
}
