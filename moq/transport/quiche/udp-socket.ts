/** A UDP socket for QUIC: no name look-ups, one callback for all packets, errors counted. */

import { createSocket, type Socket } from 'node:dgram'
import type { HostPort } from './binding.ts'
import { QuicError } from './quic-error.ts'

/** Bytes that the kernel may hold each way: bursts of a whole call must fit. */
const KERNEL_BUFFER = 4 * 1024 * 1024

export interface Datagram {
  readonly address: string
  readonly port: number
}

/** Bytes that the kernel holds of a socket, each way: what was asked for, and what it gave. */
export interface KernelBuffer {
  readonly wanted: number
  readonly receive: number
  readonly send: number
}

export class UdpSocket {
  readonly local: HostPort
  readonly kernelBuffer: KernelBuffer
  onDatagram: (bytes: Uint8Array, from: Datagram) => void = () => {}
  onSendError: () => void = () => {}
  #socket: Socket
  /** Without it Node tells nobody of a packet that the kernel refused. */
  readonly #onSent = (error: Error | null) => {
    if (error !== null) this.onSendError()
  }

  constructor(socket: Socket) {
    this.#socket = socket
    const { address, port } = socket.address()
    this.local = { host: address, port }
    this.kernelBuffer = {
      wanted: KERNEL_BUFFER,
      receive: given(socket.getRecvBufferSize()),
      send: given(socket.getSendBufferSize()),
    }
    socket.on('message', (bytes, from) => this.onDatagram(bytes, from))
    socket.on('error', () => this.onSendError())
  }

  /** Packets handed over that the kernel has not taken yet; their memory must not change. */
  get held(): number {
    return this.#socket.getSendQueueCount()
  }

  send(packet: Uint8Array, length: number, to: HostPort): void {
    try {
      this.#socket.send(packet, 0, length, to.port, to.host, this.#onSent)
    } catch {
      this.onSendError() // e.g. port 0, as only a forged packet has
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}

/** Linux counts its own bookkeeping too, and tells twice of what it gives (socket(7), SO_RCVBUF). */
function given(told: number): number {
  return process.platform === 'linux' ? told / 2 : told
}

/** @throws QuicError with one line that says what is wrong with the address */
export function openUdpSocket(host: string, port: number): Promise<UdpSocket> {
  const isV6 = host.includes(':')
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    recvBufferSize: KERNEL_BUFFER,
    sendBufferSize: KERNEL_BUFFER,
    // Addresses are numbers already.
    lookup: (address, _options, callback) => callback(null, address, isV6 ? 6 : 4),
  })
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      socket.close()
      reject(new QuicError(explain(error, host, port), error.code ?? null))
    }
    socket.once('error', onError)
    socket.bind(port, host, () => {
      socket.off('error', onError)
      resolve(new UdpSocket(socket))
    })
  })
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  const where = `UDP ${host.includes(':') ? `[${host}]` : host}:${port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is in use by another process`
    case 'EACCES':
      return `${where} may not be bound: ports below 1024 need a privilege`
    case 'EADDRNOTAVAIL':
      return `${where} is not an address of this machine`
    default:
      return `${where} cannot be bound: ${error.message}`
  }
}
