/**
 * The native quiche binding (`@matrixai/quic-*` 2.0.9, quiche 0.18.0): the part of its interface
 * that the engine uses, and how it is loaded. It is synchronous and does no I/O: packets go in and
 * come out as bytes.
 */

import { createRequire } from 'node:module'
import { QuicError } from './quic-error.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Directions of `streamShutdown`. */
export const SHUTDOWN_READ = 0
export const SHUTDOWN_WRITE = 1

/** `Header.ty` of an Initial packet. */
export const PACKET_INITIAL = 0

/** Values of `setCcAlgorithm`. */
export const CONGESTION_CONTROL = { reno: 0, cubic: 1, bbr: 2 } as const

export interface NativeConfig {
  verifyPeer(verify: boolean): void
  grease(on: boolean): void
  logKeys(): void
  setApplicationProtos(protocols: string[]): void
  setMaxIdleTimeout(ms: number): void
  setMaxRecvUdpPayloadSize(bytes: number): void
  setMaxSendUdpPayloadSize(bytes: number): void
  setInitialMaxData(bytes: number): void
  setInitialMaxStreamDataBidiLocal(bytes: number): void
  setInitialMaxStreamDataBidiRemote(bytes: number): void
  setInitialMaxStreamDataUni(bytes: number): void
  setInitialMaxStreamsBidi(count: number): void
  setInitialMaxStreamsUni(count: number): void
  setMaxConnectionWindow(bytes: number): void
  setMaxStreamWindow(bytes: number): void
  setCcAlgorithm(algorithm: number): void
  enableHystart(on: boolean): void
  enablePacing(on: boolean): void
  enableDgram(on: boolean, receiveQueue: number, sendQueue: number): void
}

export interface NativePathStats {
  readonly active: boolean
  readonly lost: number
  /** Smoothed round-trip time, ms. */
  readonly rtt: number
  /** Bytes. */
  readonly cwnd: number
  /** Bytes per second. */
  readonly deliveryRate: number
}

export interface NativeError {
  readonly isApp: boolean
  readonly errorCode: number
  readonly reason: Uint8Array
}

export interface NativeConnection {
  setKeylog(path: string): void
  recv(packet: Uint8Array, info: { from: HostPort; to: HostPort }): number
  /** Null when there is nothing to send. */
  send(into: Uint8Array): [length: number, info: { to: HostPort }] | null
  /** Null when there is nothing to read. Throws `StreamReset(code)`. */
  streamRecv(id: number, into: Uint8Array): [length: number, fin: boolean] | null
  /** Bytes taken, or null when there is no room. Throws `StreamStopped(code)`. */
  streamSend(id: number, bytes: Uint8Array, fin: boolean): number | null
  streamPriority(id: number, urgency: number, incremental: boolean): void
  streamShutdown(id: number, direction: number, code: number): void
  /** Throws `StreamStopped(code)`, or `InvalidStreamState(id)` once the stream is gone. */
  streamCapacity(id: number): number
  /** Whether all was read of a stream, or it is no more; never true of one that we only send. */
  streamFinished(id: number): boolean
  peerStreamsLeftBidi(): number
  peerStreamsLeftUni(): number
  /** Whether a stream or a datagram can be read. */
  isReadable(): boolean
  streamReadable(id: number): boolean
  /** The streams that can be read. Costs 10 µs and more, and leaves work for the collector. */
  readable(): Iterable<number>
  dgramRecv(into: Uint8Array): number | null
  dgramRecvQueueLen(): number
  dgramSendQueueByteSize(): number
  /** Undefined when taken, null when the queue is full. */
  dgramSend(bytes: Uint8Array): undefined | null
  dgramMaxWritableLen(): number | null
  /** Ms until `onTimeout` is due. */
  timeout(): number | null
  onTimeout(): void
  /** Makes the next packet one that the peer acknowledges, with a PING if need be. */
  sendAckEliciting(): void
  newSourceCid(id: Uint8Array, resetToken: bigint, retireIfNeeded: boolean): number
  sourceCidsLeft(): number
  retiredScidNext(): Uint8Array | null
  pathEventNext(): { type: string; new?: HostPort } | null
  close(isApp: boolean, code: number, reason: Uint8Array): void
  applicationProto(): Uint8Array
  serverName(): string | null
  peerCertChain(): Uint8Array[] | null
  isEstablished(): boolean
  isDraining(): boolean
  isClosed(): boolean
  isTimedOut(): boolean
  peerError(): NativeError | null
  localError(): NativeError | null
  pathStats(): NativePathStats[]
}

export interface NativeHeader {
  readonly ty: number
  readonly version: number
  readonly dcid: Uint8Array
  readonly scid: Uint8Array
  readonly token?: Uint8Array | null
}

export interface QuicheBinding {
  readonly Config: {
    /** Certificate and key as PEM, in memory. A bad certificate is not reported. */
    withBoringSslCtx(
      verifyPeer: boolean,
      allowFailedVerification: boolean,
      ca: Uint8Array | null,
      keys: Uint8Array[] | null,
      certificates: Uint8Array[] | null,
      signatureAlgorithms: string | null,
    ): NativeConfig
  }
  readonly Connection: {
    connect(
      serverName: string | null,
      id: Uint8Array,
      local: HostPort,
      peer: HostPort,
      config: NativeConfig,
    ): NativeConnection
    accept(
      id: Uint8Array,
      originalId: Uint8Array | null,
      local: HostPort,
      peer: HostPort,
      config: NativeConfig,
    ): NativeConnection
  }
  readonly Header: { fromSlice(packet: Uint8Array, idLength: number): NativeHeader }
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, into: Uint8Array): number
  retry(
    scid: Uint8Array,
    dcid: Uint8Array,
    newScid: Uint8Array,
    token: Uint8Array,
    version: number,
    into: Uint8Array,
  ): number
  versionIsSupported(version: number): boolean
}

const PACKAGE = `@matrixai/quic-${process.platform}-${process.arch}`

const require = createRequire(import.meta.url)
let loaded: QuicheBinding | null = null

/** Whether the binding is installed for this platform, without loading it. */
export function quicheInstalled(): boolean {
  try {
    require.resolve(PACKAGE)
    return true
  } catch {
    return false
  }
}

/** @throws QuicError that says what to install, or why the binary does not load */
export function loadQuiche(): QuicheBinding {
  if (loaded !== null) return loaded
  if (!quicheInstalled()) {
    throw new QuicError(`the engine quiche is not installed: npm install ${PACKAGE}@2.0.9`)
  }
  try {
    loaded = require(PACKAGE) as QuicheBinding
    return loaded
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split('\n')
    throw new QuicError(`${PACKAGE} does not load on this machine: ${line}`)
  }
}

/** The code inside `StreamReset(42)` and `StreamStopped(42)`, or null for any other error. */
export function streamErrorCode(error: unknown): number | null {
  const message = error instanceof Error ? error.message : ''
  const match = /^Stream(?:Reset|Stopped)\((\d+)\)$/.exec(message)
  return match === null ? null : Number(match[1])
}
