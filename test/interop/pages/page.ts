/** Runs in a browser page: how a test reaches the client there. */

import type { InteropClient } from '../client.ts'

/** The clients of a page, and how it makes another. */
export interface InteropPage {
  readonly clients: InteropClient[]
  /**
   * @param protocols to offer, where the library lets choose
   * @returns its index in `clients`
   */
  open(protocols: readonly string[]): number
}

declare global {
  var interop: InteropPage
}

export function expose(make: (protocols: readonly string[]) => InteropClient): void {
  const clients: InteropClient[] = []
  globalThis.interop = { clients, open: (protocols) => clients.push(make(protocols)) - 1 }
}

/** Options of a `WebTransport` that pins a certificate. */
export function pinned(certificateHash: string): WebTransportOptions {
  const value = Uint8Array.from(certificateHash.match(/../g)!, (byte) => Number.parseInt(byte, 16))
  return { serverCertificateHashes: [{ algorithm: 'sha-256', value }] }
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
