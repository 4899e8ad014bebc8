/** For tests: an egress scheduler whose transport is a list of what was sent, on a manual clock. */

import { SubgroupWriter } from '../../moq/session/index.ts'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import type { SendStream, SendStreamHandler } from '../../moq/transport/transport.ts'
import type { SubgroupHeader } from '../../moq/wire/subgroup.ts'
import { makeForwardCounters } from './counters.ts'
import { EgressScheduler } from './egress.ts'
import { type FlowOwner, type FlowPublication, SubgroupFlow, type SubgroupSource } from './flow.ts'
import { type ForwardObject, UNMARKED } from './object.ts'
import { type LatencyBudgets, TRAFFIC, type Traffic } from './traffic.ts'

export { ManualClock }

export interface Sent {
  readonly track: string
  readonly object: ForwardObject
}

export interface WorldOptions {
  readonly maxBytes?: number
  readonly budgets?: Partial<LatencyBudgets>
}

/** No class drops what is late, unless a test says so. */
const NO_BUDGETS = Object.fromEntries(
  TRAFFIC.map((traffic) => [traffic, Number.POSITIVE_INFINITY]),
) as Record<Traffic, number>

export class EgressWorld {
  readonly clock = new ManualClock()
  readonly counters = makeForwardCounters()
  readonly egress: EgressScheduler
  /** What was handed to the transport, in order. */
  readonly sent: Sent[] = []
  readonly streams: TestStream[] = []
  /** Told of what is handed to the transport, in the moment. */
  onSent: ((sent: Sent) => void) | null = null
  /** Times that room was asked for. */
  asked = 0
  /** Streams that may still be opened. */
  credit = Number.POSITIVE_INFINITY
  /** Whether the transport takes datagrams. */
  takesDatagrams = true

  constructor(options: WorldOptions = {}) {
    this.egress = new EgressScheduler({
      clock: this.clock,
      counters: this.counters,
      wantRoom: () => {
        this.asked++
      },
      maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
      budgets: { ...NO_BUDGETS, ...options.budgets },
    })
  }

  /** Gives room, a little at a time, until nothing asks for more. */
  drain(bytes = 1): void {
    for (let asked = -1; asked !== this.asked; ) {
      asked = this.asked
      this.egress.pull(bytes)
    }
  }

  /** What was sent, as `track group/object`. */
  get order(): string[] {
    return this.sent.map(({ track, object }) => `${track} ${object.group}/${object.object}`)
  }
}

/** A subscription of the subscriber's. */
export class TestOwner implements FlowOwner {
  readonly world: EgressWorld
  readonly name: string
  streamClass: number
  readonly datagramClass: number
  readonly descending: boolean
  readonly publication: TestPublication
  objectTimeoutMs = Number.POSITIVE_INFINITY
  subgroupTimeoutMs = Number.POSITIVE_INFINITY
  waiting = 0
  lanes: FlowOwner['lanes'] = null
  idle = 0
  lost = 0
  readonly lostDatagrams: ForwardObject[] = []
  /** Datagrams that are of no use any more. */
  readonly useless = new Set<ForwardObject>()

  constructor(
    world: EgressWorld,
    name: string,
    options: {
      readonly traffic?: Traffic
      readonly datagrams?: Traffic
      readonly subscriberPriority?: number
      readonly descending?: boolean
    } = {},
  ) {
    this.world = world
    this.name = name
    this.streamClass = TRAFFIC.indexOf(options.traffic ?? 'other')
    this.datagramClass = TRAFFIC.indexOf(options.datagrams ?? options.traffic ?? 'other')
    this.descending = options.descending ?? false
    this.publication = new TestPublication(world, name, options.subscriberPriority ?? 128)
  }

  onIdle(): void {
    this.idle++
  }

  onSubgroupLost(): void {
    this.lost++
  }

  onDatagramLost(object: ForwardObject): void {
    this.lostDatagrams.push(object)
  }

  isUseful(object: ForwardObject): boolean {
    return !this.useless.has(object)
  }

  flow(group: number): SubgroupFlow {
    return new SubgroupFlow(this, sourceOf(group), true)
  }

  /** As `flow`, and its end is a reset. */
  resetting(group: number, code: number): SubgroupFlow {
    return new ResettingFlow(this, sourceOf(group), code)
  }

  /** Queues an object of a subgroup. */
  queue(flow: SubgroupFlow, object: number, options: Partial<ForwardObject> = {}): ForwardObject {
    const made = this.object(flow.group, object, options)
    this.world.egress.queueObject(flow, made)
    return made
  }

  /** Queues a subgroup of one object, and its end. */
  stream(group: number, object = 0, options: Partial<ForwardObject> = {}): SubgroupFlow {
    const flow = this.flow(group)
    this.queue(flow, object, options)
    this.world.egress.queueEnd(flow)
    return flow
  }

  datagram(group: number, object: number, options: Partial<ForwardObject> = {}): ForwardObject {
    const datagram = Uint8Array.from(options.body ?? BODY)
    const whole = { subgroup: -1, ...options, datagram }
    const made = this.object(group, object, whole)
    this.world.egress.queueDatagram(this, made)
    return made
  }

  private object(group: number, object: number, options: Partial<ForwardObject>): ForwardObject {
    const body = Uint8Array.from(options.body ?? BODY)
    const made: ForwardObject = {
      group,
      object,
      subgroup: 0,
      priority: 128,
      marking: UNMARKED,
      generation: 0,
      datagram: null,
      arrivedAt: this.world.clock.now(),
      payloadLength: body.length,
      ...options,
      body,
    }
    this.publication.bodies.set(made.datagram ?? made.body, made)
    return made
  }
}

class ResettingFlow extends SubgroupFlow {
  private readonly code: number

  constructor(owner: FlowOwner, source: SubgroupSource, code: number) {
    super(owner, source, true)
    this.code = code
  }

  override get endsByReset(): boolean {
    return true
  }

  override finish(): void {
    this.abandon(this.code)
  }
}

function sourceOf(group: number): SubgroupSource {
  const header: SubgroupHeader = {
    trackAlias: 1,
    group,
    subgroup: 0,
    priority: null,
    hasProperties: false,
    endOfGroup: false,
    firstObject: true,
  }
  return { group, subgroup: 0, header: () => ({ header, encoded: HEADER }) }
}

const HEADER = new Uint8Array(3)
const BODY = new Uint8Array(10)

class TestPublication implements FlowPublication {
  readonly bodies = new Map<Uint8Array, ForwardObject>()
  closed = false
  subscriberPriority: number
  private readonly world: EgressWorld
  private readonly name: string

  constructor(world: EgressWorld, name: string, subscriberPriority: number) {
    this.world = world
    this.name = name
    this.subscriberPriority = subscriberPriority
  }

  openSubgroup(header: SubgroupHeader, order: number, encoded: Uint8Array): SubgroupWriter | null {
    if (this.world.credit <= 0) return null
    this.world.credit--
    const stream = new TestStream(order, (bytes) => this.wrote(bytes))
    this.world.streams.push(stream)
    return new SubgroupWriter(stream, header, encoded, this)
  }

  sendDatagram(datagram: Uint8Array): boolean {
    if (this.world.takesDatagrams) this.wrote(datagram)
    return this.world.takesDatagrams
  }

  writerOpened(): void {}
  writerClosed(): void {}
  writerStopped(): void {}

  private wrote(bytes: Uint8Array): void {
    const object = this.bodies.get(bytes)
    if (!object) return
    const sent = { track: this.name, object }
    this.world.sent.push(sent)
    this.world.onSent?.(sent)
  }
}

export class TestStream implements SendStream {
  handler: SendStreamHandler | null = null
  /** Set by tests: how much the transport has not taken. */
  buffered = 0
  order: number
  state: 'open' | 'finished' | 'reset' = 'open'
  resetCode: number | null = null
  private readonly onWrite: (bytes: Uint8Array) => void

  constructor(order: number, onWrite: (bytes: Uint8Array) => void) {
    this.order = order
    this.onWrite = onWrite
  }

  write(bytes: Uint8Array): void {
    this.onWrite(bytes)
  }

  finish(): void {
    this.state = 'finished'
  }

  reset(code: number): void {
    this.state = 'reset'
    this.resetCode = code
  }

  setOrder(order: number): void {
    this.order = order
  }
}
