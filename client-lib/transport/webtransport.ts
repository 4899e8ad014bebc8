import type { W3cWebTransport } from '../../moq/transport/w3c-types.ts'
import type { WebTransportConstructor } from './platform.ts'

/** Where a relay is, and what it is known by. */
export interface RelayAddress {
  /** `https:` URL. */
  readonly url: string
  /** MoQT versions offered, in order of preference. */
  readonly protocols: readonly string[]
  /** SHA-256 of certificates that may be used besides trusted ones: 32 bytes, or hex. */
  readonly certificateHashes?: readonly (Uint8Array | string)[]
}

/** Begins to open a session. @throws DOMException where the browser refuses to try */
export function openWebTransport(
  WebTransport: WebTransportConstructor,
  { url, protocols, certificateHashes = [] }: RelayAddress,
): W3cWebTransport {
  const webTransport = new WebTransport(url, {
    protocols: [...protocols],
    ...(certificateHashes.length > 0 && {
      serverCertificateHashes: certificateHashes.map((hash) => ({
        algorithm: 'sha-256',
        value: typeof hash === 'string' ? fromHex(hash) : hash,
      })),
    }),
  })
  webTransport.closed.catch(ignore)
  return webTransport
}

function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

function ignore(): void {}
