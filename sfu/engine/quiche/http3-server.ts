/** The server's side of WebTransport over HTTP/3: lets one session in, by extended CONNECT. */

import type { Connection } from '../../../moq/transport/quiche/connection.ts'
import { H3_REQUEST_REJECTED } from '../../../moq/transport/quiche/h3/errors.ts'
import { encodeFrame, FRAME_DATA, FRAME_HEADERS } from '../../../moq/transport/quiche/h3/frames.ts'
import { encodeFields, type Field } from '../../../moq/transport/quiche/h3/qpack.ts'
import type { QuicSession, SessionFacts } from '../../../moq/transport/quiche/session.ts'
import type { QuicReceiveStream, QuicSendStream } from '../../../moq/transport/quiche/streams.ts'
import { capsuleReader } from '../../../moq/transport/quiche/webtransport/capsules.ts'
import { Http3 } from '../../../moq/transport/quiche/webtransport/http3.ts'
import {
  formatProtocol,
  parseProtocolList,
} from '../../../moq/transport/quiche/webtransport/protocols.ts'
import {
  type Message,
  RequestStream,
} from '../../../moq/transport/quiche/webtransport/request-stream.ts'

/** An extended CONNECT for WebTransport. */
export interface ConnectRequest {
  readonly path: string
  readonly authority: string
  readonly origin: string | null
  readonly offered: readonly string[]
}

export type ConnectAnswer =
  | ({ readonly accept: true } & SessionFacts)
  | { readonly accept: false; readonly status: number; readonly reason: string }

/** What the engine decides and does. Called from the flush. */
export interface SessionDoor {
  decide(connection: Connection, request: ConnectRequest): ConnectAnswer
  /** Hands an accepted session over. */
  enter(session: QuicSession): void
  /** Takes note of a session's end. */
  leave(session: QuicSession): void
}

/** Requests that a connection may make before one becomes a session. */
const MAX_REQUESTS = 16

export class Http3Server extends Http3 {
  #door: SessionDoor
  #requests = 0

  constructor(connection: Connection, now: () => number, door: SessionDoor) {
    super(connection, now)
    this.#door = door
  }

  protected onSettings(): void {}

  protected override onSessionClosed(session: QuicSession): void {
    this.#door.leave(session)
  }

  onRequest(
    receive: QuicReceiveStream,
    send: QuicSendStream,
    bytes: Uint8Array,
    fin: boolean,
  ): void {
    if (++this.#requests > MAX_REQUESTS) {
      receive.stopRaw(H3_REQUEST_REJECTED)
      send.resetRaw(H3_REQUEST_REJECTED)
      return
    }
    let session: QuicSession | null = null
    const capsules = capsuleReader({
      onCloseSession: (code, reason) => this.sessionClosed(send, code, reason),
      onDrainSession: () => {},
    })
    receive.handler = new RequestStream({
      onMessage: (message) => {
        session = this.#answer(send, message)
        if (session !== null) this.#door.enter(session)
      },
      onData: (data) => {
        if (session !== null) capsules.push(data)
      },
      onDone: () => {
        if (session !== null) this.sessionClosed(send, 0, '')
      },
      onError: (error) => this.failed(error),
    })
    receive.deliver(bytes, fin)
  }

  #answer(send: QuicSendStream, message: Message): QuicSession | null {
    const isConnect = message.get(':method') === 'CONNECT'
    const protocol = message.get(':protocol')
    const path = message.get(':path')
    if (!isConnect || path === undefined) {
      refuse(send, 404, 'only WebTransport is served here')
      return null
    }
    if (protocol !== 'webtransport' && protocol !== 'webtransport-h3') {
      refuse(send, 501, `:protocol ${protocol ?? 'is missing'}`)
      return null
    }
    if (this.intake.session !== null) {
      refuse(send, 429, 'this connection has a session already')
      return null
    }
    const answer = this.#door.decide(this.connection, {
      path,
      authority: message.get(':authority') ?? '',
      origin: message.get('origin') ?? null,
      offered: parseProtocolList(message.get('wt-available-protocols') ?? ''),
    })
    if (!answer.accept) {
      refuse(send, answer.status, answer.reason)
      return null
    }
    const fields: Field[] = [[':status', '200']]
    if (message.has('sec-webtransport-http3-draft02')) {
      fields.push(['sec-webtransport-http3-draft', 'draft02'])
    }
    fields.push(['wt-protocol', formatProtocol(answer.protocol)])
    send.setOrder(0)
    send.write(encodeFrame(FRAME_HEADERS, encodeFields(fields)))
    return this.openSession(send, answer)
  }
}

function refuse(send: QuicSendStream, status: number, reason: string): void {
  const fields: Field[] = [
    [':status', String(status)],
    ['content-type', 'text/plain'],
  ]
  send.write(encodeFrame(FRAME_HEADERS, encodeFields(fields)))
  send.write(encodeFrame(FRAME_DATA, new TextEncoder().encode(`${reason}\n`)))
  send.finish()
}
