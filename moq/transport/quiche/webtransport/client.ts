/** The client's side of WebTransport over HTTP/3: asks for one session, by extended CONNECT. */

import type { ConnectFailure } from '../connect-error.ts'
import type { Connection } from '../connection.ts'
import { H3_NO_ERROR, H3_STREAM_CREATION_ERROR, H3Error } from '../h3/errors.ts'
import {
  encodeFrame,
  FRAME_HEADERS,
  SETTING_ENABLE_CONNECT_PROTOCOL,
  SETTING_H3_DATAGRAM,
} from '../h3/frames.ts'
import { encodeFields, type Field } from '../h3/qpack.ts'
import type { Settings } from '../h3/settings.ts'
import type { QuicSession } from '../session.ts'
import { RAW_CODES } from '../stream-codes.ts'
import { capsuleReader } from './capsules.ts'
import { Http3 } from './http3.ts'
import { formatProtocolList, parseProtocol } from './protocols.ts'
import { type Message, RequestStream } from './request-stream.ts'

export interface ConnectTarget {
  readonly authority: string
  readonly path: string
  readonly origin: string | null
  readonly protocols: readonly string[]
}

/** Told how the request ended: once, from the flush, and not at all if the connection ends first. */
export interface ConnectOutcome {
  accepted(session: QuicSession): void
  refused(kind: ConnectFailure, reason: string): void
}

/** Of a refusal's text, as much is kept as a line holds. */
const MAX_REASON = 200

export class Http3Client extends Http3 {
  #target: ConnectTarget
  #outcome: ConnectOutcome
  #isDecided = false

  constructor(
    connection: Connection,
    now: () => number,
    target: ConnectTarget,
    outcome: ConnectOutcome,
  ) {
    super(connection, now)
    this.#target = target
    this.#outcome = outcome
  }

  onRequest(): void {
    throw new H3Error(H3_STREAM_CREATION_ERROR, 'a request of the server')
  }

  protected onSettings(settings: Settings): void {
    const serves =
      settings.get(SETTING_ENABLE_CONNECT_PROTOCOL) === 1 && settings.get(SETTING_H3_DATAGRAM) === 1
    if (serves) this.#connect()
    else this.#giveUp('refused', 'the server does not serve WebTransport')
  }

  #connect(): void {
    const stream = this.connection.openBidi(0, null, RAW_CODES)
    if (stream === null) {
      this.#giveUp('refused', 'the server gives no stream for the request')
      return
    }
    const { send, receive } = stream
    let session: QuicSession | null = null
    let status = ''
    let text = ''
    const capsules = capsuleReader({
      onCloseSession: (code, reason) => this.sessionClosed(send, code, reason),
      onDrainSession: () => {},
    })
    receive.handler = new RequestStream({
      onMessage: (message) => {
        status = message.get(':status') ?? ''
        const protocol = chosenProtocol(message, this.#target.protocols)
        if (!status.startsWith('2')) return
        if (protocol === null) {
          this.#giveUp('no-common-version', 'the server chose no MoQT version of ours')
          return
        }
        session = this.openSession(send, { protocol, path: this.#target.path })
        this.#isDecided = true
        this.#outcome.accepted(session)
      },
      onData: (data) => {
        if (session !== null) capsules.push(data)
        else text = (text + new TextDecoder().decode(data)).slice(0, MAX_REASON)
      },
      onDone: () => {
        if (session !== null) this.sessionClosed(send, 0, '')
        else this.#giveUp('refused', `status ${status}: ${text.trim()}`)
      },
      onError: (error) => this.failed(error),
    })
    send.write(encodeFrame(FRAME_HEADERS, encodeFields(requestFields(this.#target))))
  }

  #giveUp(kind: ConnectFailure, reason: string): void {
    if (!this.#isDecided) this.#outcome.refused(kind, reason)
    this.#isDecided = true
    this.connection.close(true, H3_NO_ERROR, '')
  }
}

function requestFields(target: ConnectTarget): Field[] {
  const fields: Field[] = [
    [':method', 'CONNECT'],
    [':protocol', 'webtransport'],
    [':scheme', 'https'],
    [':authority', target.authority],
    [':path', target.path],
    ['sec-webtransport-http3-draft02', '1'],
  ]
  if (target.origin !== null) fields.push(['origin', target.origin])
  if (target.protocols.length > 0) {
    fields.push(['wt-available-protocols', formatProtocolList(target.protocols)])
  }
  return fields
}

function chosenProtocol(message: Message, offered: readonly string[]): string | null {
  const chosen = parseProtocol(message.get('wt-protocol') ?? '')
  return chosen !== null && offered.includes(chosen) ? chosen : null
}
