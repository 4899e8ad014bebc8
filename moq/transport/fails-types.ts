/**
 * The layer of `@fails-components/webtransport` below its W3C objects: what its transports (HTTP/3,
 * and WebTransport over WebSocket) give and call. It is the package's own seam between transport and
 * API, the same for both; only the members named "WebSocket" belong to the latter.
 */

export interface FailsNativeSession {
  /** Who is called; see `FailsSession`. */
  jsobj: unknown
  sendInitialParameters?(): void
  /** Opens a stream, at once or when credit comes; `jsobj.onStream` tells. */
  orderUnidiStream(order: FailsOrder): boolean
  orderBidiStream(order: FailsOrder): boolean
  writeDatagram(bytes: Uint8Array): { code: string }
  getMaxDatagramSize(): number
  /** Answered by `jsobj.onSessionStats`. */
  orderSessionStats(): void
  close(info: { code: number; reason: string }): void
  /** WebSocket. */
  capsParser?: FailsParser
}

export interface FailsOrder {
  sendGroup: null
  /** Higher is sent first. */
  sendOrder: number
  waitUntilAvailable: boolean
}

export interface FailsNativeStream {
  jsobj: unknown
  sendInitialParameters?(): void
  startReading(): void
  stopReading(): void
  /** Reads whatever comes from now on, whether or not reading was stopped. */
  drainReads(): void
  stopSending(code: number): void
  resetStream(code: number): void
  writeChunk(bytes: Uint8Array): void
  streamFinal(): void
  updateSendOrderAndGroup(order: { sendOrder: number; sendGroupId: bigint }): void
  /** WebSocket: chunks that wait for flow-control credit. */
  outgochunks?: unknown[]
  /** WebSocket. */
  streamid?: bigint
  streamIdManager?: { onStreamClosed(id: bigint): void }
  closeOutgoing?(): void
  onClose?(): void
}

/** WebSocket: parses capsules and keeps the session's streams. */
export interface FailsParser {
  readonly isclient: boolean
  readonly wtstreams: Map<bigint, FailsNativeStream>
  parseData(data: Uint8Array): void
  newStream(id: bigint, priority: unknown): FailsNativeStream | undefined
  onCloseWebTransportSession(info: { code: number; reason: string }): void
  readonly session: {
    readonly streamIdMngrUni: FailsStreamIds
    readonly streamIdMngrBi: FailsStreamIds
  }
}

export interface FailsStreamIds {
  /** `Number.MAX_SAFE_INTEGER` before the first. */
  readonly largestPeerCreatedStreamId: bigint
  /** Identifiers below the largest that the peer has skipped. */
  readonly availableStreams: ReadonlySet<bigint>
}

export interface FailsNewStream {
  stream: FailsNativeStream
  bidirectional: boolean
  incoming: boolean
}

export interface FailsReadBuffer {
  buffer?: Uint8Array
  readBytes?: number
  fin: boolean
}

export interface FailsStats {
  /** ms */
  smoothedRtt?: number
  /** Bits per second; some transports give a bigint. */
  estimatedSendRateBps?: number | bigint
}
