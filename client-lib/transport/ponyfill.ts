import type { FailsPonyfill } from '../../moq/transport/fails-client.ts'

/**
 * Loads the WebSocket client, a bundle chunk of its own: most callers never need it.
 *
 * As it loads, the package tries a native `WebTransport` to a host of its choice to learn what the
 * browser can do. A call page must not talk to strangers, so the constructor is hidden meanwhile.
 */
export async function loadPonyfill(): Promise<FailsPonyfill> {
  const native = Object.getOwnPropertyDescriptor(globalThis, 'WebTransport')
  if (native !== undefined) delete (globalThis as { WebTransport?: unknown }).WebTransport
  try {
    const loaded: object = await import('@fails-components/webtransport')
    if (!('WebTransportPonyfill' in loaded)) {
      throw new Error('The WebSocket client is part of browser builds only')
    }
    return loaded.WebTransportPonyfill as FailsPonyfill
  } finally {
    if (native !== undefined) Object.defineProperty(globalThis, 'WebTransport', native)
  }
}
