/**
 * MoQT over WebSocket from a browser: opens the WebSocket client of `@fails-components/webtransport`
 * (`WebTransportPonyfill`, given by the caller, so that nothing is loaded where it is not needed) and
 * takes over below its W3C objects.
 */

import { FailsSession, type Pressure } from './fails-session.ts'
import type { FailsNativeSession } from './fails-types.ts'
import type { TransportSession } from './transport.ts'

/** Flow-control windows at the start and at most, bytes. */
const WINDOWS = {
  initialStreamFlowControlWindow: 256 * 1024,
  initialSessionFlowControlWindow: 1024 * 1024,
  streamFlowControlWindowSizeLimit: 1024 * 1024,
  sessionFlowControlWindowSizeLimit: 4 * 1024 * 1024,
}

/** A WebSocket does not say when it has sent; while it is full it is asked so often, ms. */
const PRESSURE_POLL_MS = 5

/** `WebTransportPonyfill`, as far as it is used here. */
export type FailsPonyfill = new (url: string, options: object) => FailsPonyfillClient

export interface FailsPonyfillClient {
  readonly ready: Promise<unknown>
  readonly closed: Promise<unknown>
  readonly draining: Promise<unknown>
  readonly sessionint: {
    /** Called by the package once the WebSocket is open. */
    setSessionObj(native: FailsNativeSession, reliable: boolean): void
  }
}

interface BrowserNativeSession extends FailsNativeSession {
  readonly ws: { readonly bufferedAmount: number }
}

export interface FailsClientOptions {
  ponyfill: FailsPonyfill
  /** `https:` URL of the relay. */
  url: string
  /** MoQT versions offered, in order of preference. */
  protocols: readonly string[]
  /** Monotonic time, ms. */
  now(): number
  /** Runs a callback after so many ms. Default `setTimeout`. */
  after?(ms: number, callback: () => void): void
  /** Told when a handler throws; the session then ends. */
  onFault?(error: unknown): void
}

export interface FailsConnecting {
  /** Rejects if the WebSocket does not open. `protocol` is `''` where the relay chose none. */
  readonly session: Promise<TransportSession>
  /** Gives up: a session that still comes is closed. */
  abort(): void
}

export function connectFailsWebSocket(options: FailsClientOptions): FailsConnecting {
  const url = new URL(options.url)
  const after = options.after ?? ((ms, callback) => void setTimeout(callback, ms))
  let aborted = false
  const session = new Promise<TransportSession>((resolve, reject) => {
    const client = new options.ponyfill(options.url, {
      ...WINDOWS,
      protocols: [...options.protocols],
    })
    client.sessionint.setSessionObj = (native) => {
      const { ws } = native as BrowserNativeSession
      const pressure: Pressure = {
        bytes: () => ws.bufferedAmount,
        whenLess: (callback) => after(PRESSURE_POLL_MS, callback),
      }
      new FailsSession(native, {
        kind: 'websocket',
        protocol: '',
        path: url.pathname + url.search,
        peer: url.host,
        now: options.now,
        pressure,
        onReady(ready) {
          if (aborted) ready.close(0, '')
          else resolve(ready)
        },
        onFault: options.onFault,
      })
    }
    // Before the WebSocket is open these tell of failure; afterwards they are not settled.
    client.ready.catch(reject)
    client.closed.catch(reject)
    client.draining.catch(reject)
  })
  return {
    session,
    abort: () => {
      aborted = true
    },
  }
}
