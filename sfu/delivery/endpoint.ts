/**
 * The delivery service as a MoQT endpoint in the relay's own process: a client of the relay like any
 * other, over a transport in memory. `main.ts` is the same as a process of its own.
 */

import { type Clock, Session } from '../../moq/session/index.ts'
import type { TransportSession } from '../../moq/transport/transport.ts'
import { DeliveryRooms, type DeliveryRoomsOptions } from './rooms.ts'
import { Sequencer } from './sequencer.ts'

export interface DeliveryOptions extends Omit<DeliveryRoomsOptions, 'sequencer'> {
  readonly transport: TransportSession
  readonly clock: Clock
  /** Default: one without a store. */
  readonly sequencer?: Sequencer
  readonly onClosed?: (reason: string) => void
}

export const IMPLEMENTATION = 'sotto-delivery/0'

export class DeliveryEndpoint {
  readonly sequencer: Sequencer
  private readonly session: Session

  constructor(options: DeliveryOptions) {
    this.sequencer = options.sequencer ?? new Sequencer()
    const rooms = new DeliveryRooms({ ...options, sequencer: this.sequencer })
    this.session = new Session(options.transport, {
      role: 'client',
      implementation: IMPLEMENTATION,
      clock: options.clock,
      handler: {
        ...rooms.handler,
        onClosed: (info) => {
          rooms.close()
          options.onClosed?.(info.reason)
        },
      },
    })
    rooms.serve(this.session)
  }

  close(): void {
    this.session.close(0, 'the delivery service stops')
  }
}
