/**
 * The delivery service's way to a relay that is not in its process: one session at a time, and another
 * one, after a growing while, when it is over. The groups outlive the sessions.
 */

import { ConnectError, type ConnectOptions } from '../../moq/node/index.ts'
import { type Clock, type Session, SetupOption } from '../../moq/session/index.ts'
import { encodeAuthorizationToken } from '../../moq/wire/parameters.ts'
import type { Property } from '../../moq/wire/properties.ts'
import { IMPLEMENTATION } from './endpoint.ts'
import { DeliveryRooms, type DeliveryRoomsOptions } from './rooms.ts'

export interface RelayLinkOptions extends DeliveryRoomsOptions {
  /** `moqt://` or `https://`, see `connect`. */
  readonly relay: string
  readonly connect: (url: string, options: ConnectOptions) => Promise<Session>
  readonly trust?: ConnectOptions['trust']
  /**
   * Asked before each try, so that a new token can be put in the place of one that ends.
   * @throws TokenError
   */
  readonly token: () => string | null
  readonly clock: Clock
  /** Uniform in [0, 1): services that lost one relay do not come back all at once. */
  readonly random: () => number
  readonly onConnected: () => void
  /** @param retryMs until the next try */
  readonly onLost: (reason: string, retryMs: number) => void
}

const FIRST_RETRY_MS = 500
const MOST_RETRY_MS = 5000
/** A relay that went while we connected to it is not waited for any longer, ms. */
const CONNECT_MS = 3000
/** A session that lasted as long was a good one, ms. */
const STABLE_MS = 10_000
/**
 * Idle timeout of the connection, ms; it is kept by a packet every third of it. A service that was killed is
 * found out after this, where a caller's browser has longer to come back from a dead network.
 */
const IDLE_MS = 5000
/** JSON Web Token, as the admission of our relay has it. */
const JWT_TOKEN_TYPE = 0

/** There is no token to be had now. The message is for a person. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
}

export class RelayLink {
  private readonly options: RelayLinkOptions
  private session: Session | null = null
  private failures = 0
  private closed = false
  private cancelRetry: () => void = () => {}

  constructor(options: RelayLinkOptions) {
    this.options = options
  }

  get connected(): boolean {
    return this.session !== null
  }

  /** Connects, and goes on until `close`. Never rejects. */
  async start(): Promise<void> {
    const { options } = this
    const rooms = new DeliveryRooms(options)
    let since: number | null = null
    let over = false
    const lost = (reason: string) => {
      if (over) return
      over = true
      this.session = null
      rooms.close()
      this.retry(reason, since === null ? 0 : options.clock.now() - since)
    }
    try {
      const session = await options.connect(options.relay, {
        implementation: IMPLEMENTATION,
        clock: options.clock,
        setup: this.setup(),
        timeoutMs: CONNECT_MS,
        transport: { idleTimeoutMs: IDLE_MS },
        ...(options.trust && { trust: options.trust }),
        handler: {
          ...rooms.handler,
          onGoaway: () => this.session?.close(0, 'as GOAWAY asks'),
          onClosed: (info) => lost(info.reason || 'the relay closed the session'),
        },
      })
      if (this.closed) session.close(0, 'the delivery service stops')
      if (over || this.closed) return
      this.session = session
      since = options.clock.now()
      rooms.serve(session)
      options.onConnected()
    } catch (error) {
      if (!(error instanceof ConnectError || error instanceof TokenError)) throw error
      lost(error.message)
    }
  }

  close(): void {
    this.closed = true
    this.cancelRetry()
    this.session?.close(0, 'the delivery service stops')
    this.session = null
  }

  private retry(reason: string, lastedMs: number): void {
    if (this.closed) return
    const { clock, random, onLost } = this.options
    this.failures = lastedMs >= STABLE_MS ? 1 : this.failures + 1
    const most = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.failures - 1))
    const retryMs = Math.round(most * (0.5 + random() / 2))
    onLost(reason, retryMs)
    this.cancelRetry = clock.after(retryMs, () => void this.start())
  }

  private setup(): Property[] {
    const token = this.options.token()
    if (token === null) return []
    const value = new TextEncoder().encode(token)
    return [
      {
        type: SetupOption.AUTHORIZATION_TOKEN,
        value: encodeAuthorizationToken({ kind: 'use-value', type: JWT_TOKEN_TYPE, value }),
      },
    ]
  }
}
