/**
 * A relay with transports that lead nowhere: what a peer would send is fed as bytes, what the relay
 * sends is counted. Between them everything is the relay's own path: sessions, parser, track, egress
 * schedulers.
 */

import type { Clock } from '../../moq/session/index.ts'
import type {
  BidiStream,
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
  TransportHandler,
  TransportSession,
} from '../../moq/transport/transport.ts'
import type { ControlMessage } from '../../moq/wire/messages.ts'
import { type FullTrackName, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { codecFor } from '../../moq/wire/versions.ts'
import { makeForwardCounters } from '../../sfu/forward/counters.ts'
import { policeSettings, UNLIMITED_POLICE_RATES } from '../../sfu/forward/police/index.ts'
import { DEFAULT_RELAY_LIMITS, Relay } from '../../sfu/relay/index.ts'

const codec = codecFor('moqt-18')
/** Bytes that a transport gives room for at a time. */
const ROOM = 65_536
/**
 * It costs what the system's clock costs, and a machine that pauses makes nothing late. It has no
 * timers, as worlds stay and what theirs do would be counted to others.
 */
const PATIENT_CLOCK: Clock = { now: () => performance.now() / 1000, after: () => () => {} }
/** The publisher's own alias for its track; the relay picks another. */
export const PUBLISHER_ALIAS = 9

export class RelayWorld {
  readonly counters = makeForwardCounters()
  /** The publisher's transport, as the relay sees it. */
  readonly publisher: SinkTransport
  /** Transports that asked for room, oldest first: a list to fill and one to serve, in turns. */
  private wanting = new TransportList()
  private serving = new TransportList()

  /** One publisher of a track, and so many subscribers to it. */
  constructor(trackName: string, subscribers: number) {
    const relay = new Relay({
      clock: PATIENT_CLOCK,
      counters: this.counters,
      limits: DEFAULT_RELAY_LIMITS,
      police: policeSettings(UNLIMITED_POLICE_RATES, 0),
      onInternalError: (error) => {
        throw error
      },
    })
    const connect = () => {
      const transport = new SinkTransport((wanting) => this.wanting.add(wanting))
      relay.addSession(transport)
      transport.receiveUni().feed(codec.encode({ type: 'SETUP', options: [] }), false)
      return transport
    }
    // Classed as a call's tracks, and of no participant: its payloads have no SFrame headers.
    const namespace = namespaceOf('sotto', 'bench', 'publisher', 'plain')
    this.publisher = connect()
    this.publisher.request({
      type: 'PUBLISH_NAMESPACE',
      requestId: 0,
      namespace,
      parameters: {},
    })
    const track = trackOf(namespace, trackName)
    for (let i = 0; i < subscribers; i++) subscribe(connect(), track)
    // The relay asked the publisher once.
    this.publisher.opened[0]!.receive.feed(
      codec.encode({
        type: 'SUBSCRIBE_OK',
        trackAlias: PUBLISHER_ALIAS,
        parameters: {},
        properties: [],
      }),
      false,
    )
    this.settle()
  }

  /** Gives room until nothing waits, as engines do from their loops. */
  settle(): void {
    while (this.wanting.size > 0) {
      const now = this.wanting
      this.wanting = this.serving
      this.serving = now
      now.serve(ROOM)
    }
  }
}

/** Keeps its array when it is emptied, so that the world allocates nothing of its own. */
class TransportList {
  size = 0
  private readonly transports: SinkTransport[] = []

  add(transport: SinkTransport): void {
    this.transports[this.size++] = transport
  }

  serve(room: number): void {
    for (let i = 0; i < this.size; i++) this.transports[i]!.giveRoom(room)
    this.size = 0
  }
}

function subscribe(transport: SinkTransport, track: FullTrackName): void {
  transport.request({ type: 'SUBSCRIBE', requestId: 0, track, parameters: {} })
}

class SinkTransport implements TransportSession {
  readonly kind = 'memory'
  readonly protocol = 'moqt-18'
  readonly path = '/'
  readonly peer = 'bench'
  readonly maxDatagramSize = 1200
  handler: TransportHandler | null = null
  /** Request streams that the relay opened. */
  readonly opened: { readonly send: SinkSendStream; readonly receive: FedStream }[] = []
  private readonly askRoom: (transport: SinkTransport) => void
  private asked = false

  constructor(askRoom: (transport: SinkTransport) => void) {
    this.askRoom = askRoom
  }

  /** A stream of the peer's, to be fed. */
  receiveUni(): FedStream {
    const stream = new FedStream()
    this.handler!.onUni(stream)
    return stream
  }

  request(message: ControlMessage): void {
    const receive = new FedStream()
    this.handler!.onBidi({ send: new SinkSendStream(), receive })
    receive.feed(codec.encode(message), false)
  }

  receiveDatagram(bytes: Uint8Array): void {
    this.handler!.onDatagram(bytes)
  }

  giveRoom(bytes: number): void {
    this.asked = false
    this.handler!.onRoom(bytes)
  }

  openUni(): SendStream {
    return new SinkSendStream()
  }

  openBidi(): BidiStream {
    const stream = { send: new SinkSendStream(), receive: new FedStream() }
    this.opened.push(stream)
    return stream
  }

  sendDatagram(): boolean {
    return true
  }

  wantRoom(): void {
    if (this.asked) return
    this.asked = true
    this.askRoom(this)
  }

  congestion(): null {
    return null
  }

  close(code: number, reason: string): void {
    throw new Error(`the relay closed a session: ${code} ${reason}`)
  }
}

class SinkSendStream implements SendStream {
  handler: SendStreamHandler | null = null
  readonly buffered = 0
  write(): void {}
  finish(): void {}
  reset(): void {}
  setOrder(): void {}
}

class FedStream implements ReceiveStream {
  handler: ReceiveStreamHandler | null = null

  feed(bytes: Uint8Array, fin: boolean): void {
    this.handler!.onBytes(bytes, fin)
  }

  pause(): void {}
  resume(): void {}
  stop(code: number): void {
    throw new Error(`the relay stopped a stream with ${code}`)
  }
}
