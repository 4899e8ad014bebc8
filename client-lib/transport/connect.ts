/**
 * The transport room of the browser library: gets a MoQT session to the relay, by WebTransport where
 * the network lets UDP through and by WebSocket where it does not. It uses neither `window` nor
 * `document` and so runs in a worker.
 */

import { connectFailsWebSocket, type FailsConnecting } from '../../moq/transport/fails-client.ts'
import type { TransportSession } from '../../moq/transport/transport.ts'
import { createW3cSession } from '../../moq/transport/w3c.ts'
import type { W3cWebTransport } from '../../moq/transport/w3c-types.ts'
import type { EarlyTransport } from './early-transport.ts'
import { ConnectError, type ConnectErrorCode } from './errors.ts'
import { browserPlatform, type ConnectPlatform } from './platform.ts'
import { openWebTransport, type RelayAddress } from './webtransport.ts'

export { ConnectError, type ConnectErrorCode } from './errors.ts'
export type { ConnectPlatform, WebTransportConstructor } from './platform.ts'

/** How long a way may take that is not given up for another, in multiples of `timeoutMs`. */
const PATIENCE = 4
const DEFAULT_TIMEOUT_MS = 2_000

type Way = 'webtransport' | 'websocket'

/** Certificate hashes are honoured by WebTransport only; a WebSocket needs a trusted certificate. */
export interface ConnectOptions extends RelayAddress {
  /** `auto` tries both ways. Default `auto`. */
  prefer?: 'auto' | Way
  /** Of `auto`, which is tried first: what worked the last time. Default WebTransport. */
  first?: Way
  /**
   * How long WebTransport may take, ms; of `auto`, after how long the second way is tried beside the
   * first. Default 2000.
   */
  timeoutMs?: number
  signal?: AbortSignal
  /** Where a session may have been opened before. */
  early?: EarlyTransport
  /** Told when a handler of the session throws; the session then ends. */
  onFault?: (error: unknown) => void
  /** The parts of the browser that are used; for tests and other runtimes. */
  platform?: Partial<ConnectPlatform>
}

export interface Connected {
  /** Its `handler` must be set at once, in the tick in which the promise is fulfilled. */
  readonly session: TransportSession
  readonly transport: Way
}

/** @throws ConnectError */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { prefer = 'auto', timeoutMs = DEFAULT_TIMEOUT_MS } = options
  if (prefer === 'auto') return race(options, timeoutMs)
  const patienceMs = prefer === 'webtransport' ? timeoutMs : PATIENCE * timeoutMs
  return new Attempt(options, patienceMs).open(prefer)
}

/**
 * The second way is tried when the first has failed, or is slow: then both go on, and the one that opens
 * is used. A network that lets no UDP through seldom says so, and a slow one is not to be given up.
 */
function race(options: ConnectOptions, timeoutMs: number): Promise<Connected> {
  const { signal: outer, first = 'webtransport' } = options
  const decided = new AbortController()
  const signal = outer ? AbortSignal.any([outer, decided.signal]) : decided.signal
  const attempt = new Attempt({ ...options, signal }, PATIENCE * timeoutMs)
  return new Promise((resolve, reject) => {
    let underWay = 0
    let both = false
    const decide = () => {
      cancelTimer()
      decided.abort()
    }
    const onFailed = (error: unknown) => {
      underWay--
      if (decided.signal.aborted) return
      if (isFinal(error)) {
        decide()
        reject(error)
      } else if (!both) openSecond()
      else if (underWay === 0) {
        decide()
        reject(error)
      }
    }
    const open = (way: Way) => {
      underWay++
      attempt.open(way).then((connected) => {
        if (decided.signal.aborted) connected.session.close(0, 'the other way was faster')
        else {
          decide()
          resolve(connected)
        }
      }, onFailed)
    }
    const openSecond = () => {
      both = true
      cancelTimer()
      open(first === 'webtransport' ? 'websocket' : 'webtransport')
    }
    const cancelTimer = attempt.after(timeoutMs, openSecond)
    open(first)
  })
}

/** Another way does not help against these. */
function isFinal(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === 'aborted' || error.code === 'version')
}

class Attempt {
  readonly #options: ConnectOptions
  readonly #platform: ConnectPlatform
  readonly #url: URL
  readonly #patienceMs: number

  /** @param patienceMs how long a way may take */
  constructor(options: ConnectOptions, patienceMs: number) {
    this.#options = options
    this.#platform = { ...browserPlatform(), ...options.platform }
    this.#patienceMs = patienceMs
    const url = URL.canParse(options.url) ? new URL(options.url) : null
    if (url === null || url.protocol !== 'https:') throw new ConnectError('invalid-url', '')
    this.#url = url
  }

  open(way: Way): Promise<Connected> {
    return way === 'webtransport' ? this.#webTransport() : this.#webSocket()
  }

  after(ms: number, callback: () => void): () => void {
    return this.#platform.after(ms, callback)
  }

  async #webTransport(): Promise<Connected> {
    const { WebTransport } = this.#platform
    if (WebTransport === undefined) throw this.#error('unsupported')
    const { protocols, onFault, early } = this.#options
    const address = { ...this.#options, url: this.#url.href }
    let webTransport: W3cWebTransport
    try {
      webTransport = early?.take(address) ?? openWebTransport(WebTransport, address)
    } catch (cause) {
      throw this.#error('unreachable', cause)
    }
    await this.#within(webTransport.ready, () => webTransport.close())
    const protocol = webTransport.protocol ?? protocols[0] ?? ''
    if (!protocols.includes(protocol)) {
      webTransport.close()
      throw this.#error('version')
    }
    const session = createW3cSession(webTransport, {
      path: this.#url.pathname + this.#url.search,
      peer: this.#url.host,
      protocol,
      now: () => this.#platform.now(),
      after: (ms, callback) => void this.#platform.after(ms, callback),
      onFault,
    })
    return { session, transport: 'webtransport' }
  }

  async #webSocket(): Promise<Connected> {
    const { protocols, onFault } = this.#options
    let connecting: FailsConnecting | null = null
    let abandoned = false
    const opened = this.#platform.loadPonyfill().then((ponyfill) => {
      connecting = connectFailsWebSocket({
        ponyfill,
        url: this.#url.href,
        protocols,
        now: () => this.#platform.now(),
        after: (ms, callback) => void this.#platform.after(ms, callback),
        onFault,
      })
      if (abandoned) connecting.abort()
      return connecting.session
    })
    const session = await this.#within(opened, () => {
      abandoned = true
      connecting?.abort()
    })
    if (!protocols.includes(session.protocol)) {
      session.close(0, 'no common version')
      throw this.#error('version')
    }
    return { session, transport: 'websocket' }
  }

  /** Waits for `opening`, but neither too long nor after an abort; then `giveUp` is called. */
  #within<T>(opening: Promise<T>, giveUp: () => void): Promise<T> {
    const { signal } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (error: ConnectError) => {
        settle()
        reject(error)
      }
      const onAbort = () => {
        fail(this.#error('aborted', signal?.reason))
        giveUp()
      }
      const cancelTimer = this.#platform.after(this.#patienceMs, () => {
        fail(this.#error('timeout'))
        giveUp()
      })
      const settle = () => {
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort)
      if (signal?.aborted) onAbort()
      opening.then(
        (value) => {
          settle()
          resolve(value)
        },
        (cause) => fail(this.#error('unreachable', cause)),
      )
    })
  }

  #error(code: ConnectErrorCode, cause?: unknown): ConnectError {
    return new ConnectError(code, this.#url.host, cause === undefined ? undefined : { cause })
  }
}
