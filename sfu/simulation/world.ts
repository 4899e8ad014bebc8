/** For tests (vitest): a real relay, with its police and its services, whose clients come over simulated links. */

import { createTransportPair } from '../../moq/transport/memory.ts'
import { FeedbackEndpoint } from '../feedback/index.ts'
import { makeForwardCounters } from '../forward/counters.ts'
import { DEFAULT_POLICE } from '../forward/police/index.ts'
import { DEFAULT_RELAY_LIMITS } from '../relay/limits.ts'
import type { Peer } from '../relay/peer.ts'
import { Relay } from '../relay/relay.ts'
import { SimulatedClock } from './net/clock.ts'
import type { LinkConditions } from './net/link.ts'
import { SimulatedPath } from './net/path.ts'
import { seededRandom } from './net/random.ts'
import type { Tap } from './net/session.ts'

/** Both directions of a participant's access to the network. */
export interface Access {
  readonly up?: Partial<LinkConditions>
  readonly down?: Partial<LinkConditions>
}

export interface Connection {
  readonly path: SimulatedPath
  /** The relay's side. */
  readonly peer: Peer
}

/** A link of a good home: what is not said otherwise. */
export const HOME: LinkConditions = {
  rate: 20e6,
  delayMs: 20,
  jitterMs: 0,
  loss: 0,
  queueBytes: 150_000,
}

export const ROOM = 'demo'
const UNIX_MS = 1_700_000_000_000

export class SimulatedWorld {
  readonly clock = new SimulatedClock()
  readonly random: () => number
  readonly counters = makeForwardCounters()
  readonly relay: Relay
  /** Told of, which nothing in a simulation should be. */
  readonly limitsHit: string[] = []
  readonly errors: unknown[] = []

  constructor(seed: number) {
    this.random = seededRandom(seed)
    const { clock, counters } = this
    this.relay = new Relay({
      clock,
      counters,
      limits: DEFAULT_RELAY_LIMITS,
      police: DEFAULT_POLICE,
      onLimit: (limit) => this.limitsHit.push(limit),
      onSessionLimit: (limit) => this.limitsHit.push(limit),
      onInternalError: (error) => this.errors.push(error),
    })
    const pair = createTransportPair({ schedule: (task) => clock.after(0, task) })
    this.relay.addSession(pair.server, true)
    new FeedbackEndpoint({
      transport: pair.client,
      clock,
      wallClock: () => UNIX_MS + Math.floor(clock.now()),
      meters: this.relay.meters,
      speakers: this.relay.speakers,
    })
  }

  get now(): number {
    return this.clock.now()
  }

  connect(access: Access, tap?: Tap): Connection {
    const path = new SimulatedPath({
      clock: this.clock,
      random: this.random,
      up: { ...HOME, ...access.up },
      down: { ...HOME, ...access.down },
      ...(tap && { tap }),
    })
    return { path, peer: this.relay.addSession(path.server) }
  }

  /** A task each so many ms, beginning within the first of them. @returns stops it */
  every(ms: number, task: () => void): () => void {
    let next = this.now + this.random() * ms
    const run = () => {
      task()
      next += ms
      stop = this.clock.at(next, run)
    }
    let stop = this.clock.at(next, run)
    return () => stop()
  }

  async run(ms: number): Promise<void> {
    await this.clock.runUntil(this.now + ms)
  }
}
