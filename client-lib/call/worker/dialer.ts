/**
 * How connections to the relay are made: by which transport, with which certificate hashes and token, and
 * how often.
 */

import type { Clock } from '../../../moq/session/index.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { VERSIONS } from '../../../moq/wire/versions.ts'
import { type Connected, type ConnectOptions, connect } from '../../transport/connect.ts'
import type { EarlyTransport } from '../../transport/early-transport.ts'
import type { WorkerOptions } from '../worker-protocol.ts'
import type { Admission } from './admission.ts'
import { DialPace } from './dial-pace.ts'
import type { Try } from './reconnector.ts'
import type { RelayConnection } from './relay-connection.ts'
import { TransportChoice } from './transport-choice.ts'

export interface DialerOptions {
  readonly call: WorkerOptions
  readonly admission: Admission
  readonly clock: Clock
  /** Where a session may have been opened before the join. */
  readonly early: EarlyTransport
  /** The relay may have another certificate; the answer is `renewHashes`. */
  readonly onHashesWanted: () => void
  readonly onBug: (error: unknown) => void
}

/** Makes a connection of a transport, in the tick in which that is there. */
export type OpenConnection = (connected: Connected, setup: Property[]) => RelayConnection

type How = Pick<ConnectOptions, 'prefer' | 'first' | 'timeoutMs'>

/** How long the page may take to ask for certificate hashes; the relay may be gone for good, ms. */
const HASHES_MS = 700

export class Dialer {
  private readonly options: DialerOptions
  private readonly choice: TransportChoice
  private readonly pace: DialPace
  private hashes: readonly string[]
  private onHashes: (reachable: boolean) => void = () => {}

  constructor(options: DialerOptions) {
    const { call, clock } = options
    this.options = options
    this.hashes = call.certificateHashes ?? []
    this.choice = new TransportChoice(call.transport ?? 'auto', call.usualTransport)
    this.pace = new DialPace(() => clock.now())
  }

  /** The first connection of the call. @throws ConnectError */
  first(open: OpenConnection, signal: AbortSignal): Promise<RelayConnection> {
    return this.dial(this.options.call.url, this.choice.first, open, signal)
  }

  /** A further one; null: it is not tried now. @throws ConnectError */
  async again({ number, url, signal }: Try, open: OpenConnection): Promise<RelayConnection | null> {
    // The first try is not to wait for them: mostly it is the network that changed.
    const reachable = number > 0 ? await this.freshHashes() : null
    if (signal.aborted || !this.pace.isDue(reachable)) return null
    const prefer = this.choice.next()
    const timeoutMs = this.pace.patienceMs(prefer)
    try {
      return await this.dial(url ?? this.options.call.url, { prefer, timeoutMs }, open, signal)
    } catch (error) {
      this.pace.failed(prefer)
      throw error
    }
  }

  /** Everything goes over a connection of this kind now. */
  adopted(way: RelayConnection['way']): void {
    this.choice.note(way)
    this.pace.reset()
  }

  /** What the page sees of the machine. */
  takeHint(hint: 'network-changed' | 'awake'): void {
    if (hint === 'network-changed') this.choice.networkChanged()
    this.pace.reset()
  }

  /** The answer to `onHashesWanted`; null: they could not be had. */
  renewHashes(hashes: readonly string[] | null): void {
    if (hashes) this.hashes = hashes
    this.onHashes(hashes !== null)
  }

  private async dial(
    url: string,
    how: How,
    open: OpenConnection,
    signal: AbortSignal,
  ): Promise<RelayConnection> {
    const { admission, early, onBug: onFault } = this.options
    const setup = await admission.setup()
    const address = { url, protocols: VERSIONS, certificateHashes: this.hashes }
    return open(await connect({ ...how, ...address, early, onFault, signal }), setup)
  }

  /** @returns whether whoever has the relay's hashes answers; null: there is nobody to ask */
  private freshHashes(): Promise<boolean | null> {
    const { call, clock, onHashesWanted } = this.options
    if (!call.renewsHashes) return Promise.resolve(null)
    return new Promise((resolve) => {
      const stopTimer = clock.after(HASHES_MS, () => resolve(false))
      this.onHashes = (reachable) => {
        stopTimer()
        resolve(reachable)
      }
      onHashesWanted()
    })
  }
}
