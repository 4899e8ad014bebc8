/** Opens a MoQT session with a server: address, transport, SETUP. */

import type { Clock } from '../session/clock.ts'
import type { SessionHandler } from '../session/handler.ts'
import type { SessionLimits } from '../session/limits.ts'
import { Session } from '../session/session.ts'
import { SetupOption } from '../session/setup-rules.ts'
import { connectQuic, connectWebTransport } from '../transport/quiche/client.ts'
import { ConnectError } from '../transport/quiche/connect-error.ts'
import type { CongestionControl, QuicLimits } from '../transport/quiche/settings.ts'
import type { Trust } from '../transport/quiche/trust.ts'
import type { CloseInfo, TransportSession } from '../transport/transport.ts'
import { codeName, SessionCode } from '../wire/codes.ts'
import type { Property } from '../wire/properties.ts'
import { VERSIONS } from '../wire/versions.ts'
import { type MoqtAddress, parseAddress } from './address.ts'
import { watchSetup } from './setup-watch.ts'

/** What `connect` takes beside the address. */
export interface ConnectOptions {
  /** What the session calls; everything the server asks before `connect` answers comes here too. */
  readonly handler: SessionHandler
  /** Default: the roots that Node trusts. */
  readonly trust?: Trust
  /** MoQT versions offered, most preferred first; default all that are spoken. */
  readonly versions?: readonly string[]
  /** MOQT_IMPLEMENTATION (section 10.3.1.5). */
  readonly implementation?: string
  /** Further SETUP options, such as AUTHORIZATION TOKEN. PATH and AUTHORITY come from the URL. */
  readonly setup?: readonly Property[]
  readonly limits?: Partial<SessionLimits>
  readonly clock?: Clock
  /** For the handshake, and again for the server's SETUP, ms. Default 10,000. */
  readonly timeoutMs?: number
  /** Limits of the QUIC connection. */
  readonly transport?: Partial<QuicLimits>
  readonly congestionControl?: CongestionControl
  /** The `Origin` that WebTransport states; none by default, as programs have none. */
  readonly origin?: string
  /** Where TLS secrets are written for Wireshark; a prefix. */
  readonly keyLogFile?: string
}

const DEFAULT_TIMEOUT_MS = 10_000

/**
 * Connects to `moqt://host[:port]/path?query` over raw QUIC (draft-18 section 3.1.4) or to
 * `https://…` over WebTransport (section 3.1.3).
 * @returns an established session: both SETUP messages are exchanged
 * @throws ConnectError with what went wrong, by kind and in a sentence
 */
export async function connect(url: string | URL, options: ConnectOptions): Promise<Session> {
  const address = parseAddress(url)
  const transport = await openTransport(address, options)
  return new Promise((resolve, reject) => {
    const session: Session = new Session(transport, {
      role: 'client',
      handler: watchSetup(options.handler, {
        onReady: () => resolve(session),
        onFailed: (info) => reject(explain(address, info)),
      }),
      setup: setupOptions(address, options.setup ?? []),
      limits: { ...options.limits, setupMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS },
      ...(options.implementation !== undefined && { implementation: options.implementation }),
      ...(options.clock !== undefined && { clock: options.clock }),
    })
  })
}

function openTransport(address: MoqtAddress, options: ConnectOptions): Promise<TransportSession> {
  const common = {
    protocols: options.versions ?? VERSIONS,
    limits: { handshakeTimeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, ...options.transport },
    ...(options.trust !== undefined && { trust: options.trust }),
    ...(options.congestionControl && { congestionControl: options.congestionControl }),
    ...(options.keyLogFile !== undefined && { keyLogFile: options.keyLogFile }),
  }
  if (address.over === 'quic') {
    const { host, port, path } = address
    return connectQuic({ ...common, host, port, path })
  }
  const origin = options.origin === undefined ? {} : { origin: options.origin }
  return connectWebTransport(address.https, { ...common, ...origin })
}

/** PATH and AUTHORITY belong to raw QUIC alone (sections 10.3.1.1 and 10.3.1.2). */
function setupOptions(address: MoqtAddress, further: readonly Property[]): Property[] {
  const setup = [...further]
  if (address.over === 'quic') {
    const encoder = new TextEncoder()
    setup.push({ type: SetupOption.PATH, value: encoder.encode(address.path) })
    setup.push({ type: SetupOption.AUTHORITY, value: encoder.encode(address.authority) })
  }
  return setup.sort((a, b) => Number(a.type) - Number(b.type))
}

/** Why a session ended before it was established. */
function explain({ authority }: MoqtAddress, { by, code, reason }: CloseInfo): ConnectError {
  const why = `${codeName(SessionCode, code)}${reason === '' ? '' : `: ${reason}`}`
  if (by === 'peer') {
    const kind = code === SessionCode.VERSION_NEGOTIATION_FAILED ? 'no-common-version' : 'refused'
    return new ConnectError(kind, `${authority} refused the session: ${why}`)
  }
  if (by === 'transport') {
    return new ConnectError('lost', `the connection with ${authority} was lost: ${reason}`)
  }
  if (code === SessionCode.CONTROL_MESSAGE_TIMEOUT) {
    return new ConnectError('timeout', `${authority} sent no SETUP in time`)
  }
  return new ConnectError('protocol', `${authority} does not speak MoQT as it should: ${why}`)
}
