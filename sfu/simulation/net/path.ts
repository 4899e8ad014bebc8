import type { SimulatedClock } from './clock.ts'
import type { WirePacket } from './frames.ts'
import type { LinkConditions } from './link.ts'
import { SimulatedSession, type Tap } from './session.ts'
import { Wire } from './wire.ts'

export interface PathOptions {
  readonly clock: SimulatedClock
  /** In [0, 1). */
  readonly random: () => number
  /** From the client, and to it. */
  readonly up?: Partial<LinkConditions>
  readonly down?: Partial<LinkConditions>
  readonly protocol?: string
  readonly path?: string
  /** Default 100, as Chromium grants. */
  readonly streamCredit?: number
  /** For what goes to the client. */
  readonly tap?: Tap
}

/** Two sessions and what is between them: for each direction a link, with acknowledgements among the packets. */
export class SimulatedPath {
  readonly up: Wire<WirePacket>
  readonly down: Wire<WirePacket>
  readonly client: SimulatedSession
  readonly server: SimulatedSession

  constructor(options: PathOptions) {
    const { clock, random, protocol = 'moqt-18', path = '', streamCredit = 100 } = options
    this.up = new Wire(clock, options.up ?? {}, random)
    this.down = new Wire(clock, options.down ?? {}, random)
    const common = { clock, protocol, path, streamCredit }
    this.client = new SimulatedSession({ ...common, side: 'client', out: this.up })
    this.server = new SimulatedSession({
      ...common,
      side: 'server',
      out: this.down,
      tap: options.tap,
    })
    this.up.onArrival = (packet) => this.server.take(packet)
    this.down.onArrival = (packet) => this.client.take(packet)
  }
}
