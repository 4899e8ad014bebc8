/**
 * The parts of the W3C WebTransport API that the adapter uses, as interfaces of our own: lib.dom
 * lacks members (`protocol`, `createWritable`, `waitUntilAvailable`), and a test may stand in for a
 * browser. A browser's `WebTransport` is assignable to `W3cWebTransport`.
 */

export interface W3cWebTransport {
  readonly ready: Promise<unknown>
  readonly closed: Promise<W3cCloseInfo>
  /** Application protocol that the server chose; missing in older browsers. */
  readonly protocol?: string
  readonly datagrams: W3cDatagrams
  readonly incomingUnidirectionalStreams: ReadableStream
  readonly incomingBidirectionalStreams: ReadableStream
  createUnidirectionalStream(options?: W3cSendOptions): Promise<WritableStream>
  createBidirectionalStream(options?: W3cSendOptions): Promise<W3cBidiStream>
  getStats?(): Promise<W3cStats>
  close(info?: W3cCloseInfo): void
}

export interface W3cCloseInfo {
  closeCode?: number
  reason?: string
}

export interface W3cSendOptions {
  /** Wait for stream credit instead of failing without it; browsers that lack it always wait. */
  waitUntilAvailable?: boolean
}

export interface W3cBidiStream {
  readonly readable: ReadableStream
  readonly writable: WritableStream
}

export interface W3cDatagrams {
  readonly readable: ReadableStream
  readonly maxDatagramSize: number
  /** The older way to send; the newer one is `createWritable`. */
  readonly writable?: WritableStream
  createWritable?(): WritableStream
}

export interface W3cStats {
  smoothedRtt?: number
  /** Bits per second; null or 0 while unknown. */
  estimatedSendRate?: number | null
  packetsLost?: number
}

/**
 * What `abort` and `cancel` are given so that the peer sees `code`. Chromium (seen in 156) still has
 * the constructor of an earlier draft, with one argument, and refuses the present one.
 */
export function streamError(code: number): unknown {
  const native = (globalThis as { WebTransportError?: W3cErrorConstructor }).WebTransportError
  const init = { source: 'stream', streamErrorCode: code } as const
  if (native === undefined) return init
  try {
    return new native('', init)
  } catch {
    return new native(init)
  }
}

type W3cErrorInit = { source: 'stream'; streamErrorCode: number }
type W3cErrorConstructor = new (
  messageOrInit: string | W3cErrorInit,
  init?: W3cErrorInit,
) => unknown

/** The code of a stream that the peer reset or stopped, or null where the error tells none. */
export function streamErrorCode(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null
  if (!('streamErrorCode' in error) || typeof error.streamErrorCode !== 'number') return null
  return error.streamErrorCode
}
