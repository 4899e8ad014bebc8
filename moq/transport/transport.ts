/**
 * The one interface below MoQT. Browser, relay, tests and the in-process delivery service all speak
 * MoQT over a `TransportSession`; an adapter or engine implements it.
 *
 * It is synchronous and callback-based: no promise, stream object or copy an object or datagram.
 * Bytes given to a callback belong to the callee for good (an engine never reuses that memory);
 * bytes given to `write` or `sendDatagram` must not be changed afterwards by the caller.
 *
 * Callbacks are never made from inside a call that the session's owner makes (no re-entrance):
 * an engine makes them from its own loop.
 */

/** What carries the session. `websocket` has no datagrams of its own; adapters emulate them. */
export type TransportKind = 'webtransport' | 'websocket' | 'quic' | 'memory'

/** A session below MoQT: QUIC, WebTransport or WebSocket, or memory. */
export interface TransportSession {
  readonly kind: TransportKind
  /** The MoQT version string that both sides agreed on, e.g. `moqt-18`. */
  readonly protocol: string
  /** Path and query of the request, e.g. `/?room=demo`; `''` where the transport has none. */
  readonly path: string
  /**
   * `host[:port]` that the client asked for, as it said; at a server only, and absent where the transport
   * does not say.
   */
  readonly authority?: string | undefined
  /** `host:port` of the peer, for logs. */
  readonly peer: string
  /** Largest datagram in bytes that would be taken now; 0 while datagrams are not available. */
  readonly maxDatagramSize: number

  /**
   * Says who is called. It must be set in the tick in which the session is handed over; nothing that
   * arrives is lost before.
   */
  handler: TransportHandler | null

  /**
   * Opens a stream, or returns null while the peer's stream credit is used up;
   * `TransportHandler.onStreamCredit` is called when credit returns.
   * @param order 0..255, lower is sent first (as QUIC urgency and MoQT priorities count)
   */
  openUni(order: number): SendStream | null
  openBidi(order: number): BidiStream | null

  /** Returns whether the datagram was taken; false when it is too large or the engine is full. */
  sendDatagram(bytes: Uint8Array): boolean

  /**
   * Pull, not push: says that the owner has media waiting. The engine calls `TransportHandler.onRoom`
   * once, from its loop, when it has room for about one more congestion window of bytes. Media waits
   * with the owner, where it can still be reordered or dropped, never deep inside the engine.
   */
  wantRoom(): void

  /** The engine's view of the path, or null where it has none (WebSocket, some browsers). */
  congestion(): Congestion | null

  /** Ends the session with a MoQT session termination code. `onClosed` follows. */
  close(code: number, reason: string): void
}

/** What a transport session calls when the peer does something. */
export interface TransportHandler {
  /** A stream of the peer's. Its `handler` must be set before this returns. */
  onUni(stream: ReceiveStream): void
  onBidi(stream: BidiStream): void
  onDatagram(bytes: Uint8Array): void
  /** Stream credit returned after `openUni` or `openBidi` gave null. */
  onStreamCredit(): void
  /** The answer to `wantRoom`: write at most about `bytes`, then call `wantRoom` again if more waits. */
  onRoom(bytes: number): void
  /** Called exactly once, last. */
  onClosed(info: CloseInfo): void
}

/** The half of a stream that we write. */
export interface SendStream {
  handler: SendStreamHandler | null
  /** Bytes written and not yet taken by the transport. */
  readonly buffered: number
  write(bytes: Uint8Array): void
  /** Ends the stream after what was written. */
  finish(): void
  /** Abandons what was not delivered; `code` is a MoQT stream reset code. No effect once ended. */
  reset(code: number): void
  setOrder(order: number): void
}

/** What the peer does to a `SendStream`. */
export interface SendStreamHandler {
  /** The peer wants no more of this stream (STOP_SENDING), with its code. */
  onStopped(code: number): void
}

/** The half of a stream that the peer writes. */
export interface ReceiveStream {
  handler: ReceiveStreamHandler | null
  /** Stops callbacks, and with them the peer's flow-control credit, until `resume`. */
  pause(): void
  resume(): void
  /** Asks the peer to stop sending (STOP_SENDING). No callback follows. */
  stop(code: number): void
}

/** What comes of a `ReceiveStream`. */
export interface ReceiveStreamHandler {
  /** In order. `fin` may come with bytes or with an empty array. */
  onBytes(bytes: Uint8Array, fin: boolean): void
  /** The peer abandoned the stream (RESET_STREAM), or the session ended under it. */
  onReset(code: number): void
}

/** The two halves of a bidirectional stream. */
export interface BidiStream {
  readonly send: SendStream
  readonly receive: ReceiveStream
}

/** Who ended the session and why. `code` is a MoQT session termination code. */
export interface CloseInfo {
  readonly by: 'local' | 'peer' | 'transport'
  readonly code: number
  readonly reason: string
}

/** What the transport knows of the path to the peer. */
export interface Congestion {
  /** Smoothed round-trip time, ms. */
  readonly rttMs: number
  /** Bytes. */
  readonly congestionWindow: number
  /** Bytes sent and not acknowledged, or null where the engine does not tell. */
  readonly bytesInFlight: number | null
  /** Bits per second that the path was last seen to deliver. */
  readonly deliveryRate: number
  /** Packets lost since the session began. */
  readonly lostPackets: number
}
