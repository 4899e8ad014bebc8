import { describe, expect, it } from 'vitest'
import type { Congestion } from '../../moq/transport/transport.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { Publisher, RelayWorld, Subscriber } from './test-world.ts'

/** Classed as a call's tracks, and of no participant: payloads have no SFrame headers. */
const namespace = namespaceOf('sotto', 'room', 'publisher', 'plain')
const STEP_MS = 10
const RTT_MS = 50

/** A subscriber behind a link of which a test sets the rate, and a publisher without one. */
class PathRig {
  /** Bits a second. */
  rate = 5e6
  /** Whether the transport tells of its path. */
  tells: boolean
  readonly world: RelayWorld
  readonly publisher: Publisher
  readonly subscriber: Subscriber
  private group = 0
  private acknowledged = 0
  private sent: number[] = []
  private rttMs = RTT_MS

  constructor(tells = true) {
    this.tells = tells
    this.world = new RelayWorld({ congestion: () => this.congestion() })
    this.publisher = new Publisher(this.world, namespace)
    for (const name of ['audio', 'video/0']) this.publisher.track(name)
    this.subscriber = new Subscriber(this.world)
  }

  async begin(): Promise<this> {
    await this.world.settle()
    for (const name of ['audio', 'video/0']) this.subscriber.subscribe(trackOf(namespace, name))
    await this.world.settle()
    return this
  }

  get peer() {
    return this.world.peers[1]!
  }

  get path() {
    return this.peer.path!
  }

  /** Sends video at so many bits a second, and sound each 20 ms. @returns what arrived of sound */
  async run(ms: number, videoRate: number): Promise<void> {
    for (let end = this.world.clock.now() + ms; this.world.clock.now() < end; ) {
      const bytes = Math.round((videoRate * STEP_MS) / 8000)
      if (bytes > 0) this.publisher.stream('video/0', this.group, 0, 'v'.repeat(bytes))
      if (this.group % 2 === 0) this.publisher.stream('audio', this.group, 0, 'sound')
      this.group++
      await this.world.settle()
      this.carry()
      this.world.clock.advance(STEP_MS)
      await this.world.settle()
    }
  }

  /** Sound objects that were sent and came. */
  get sounds(): [sent: number, came: number] {
    const came = this.subscriber.received.filter(([, , text]) => text === 'sound')
    return [Math.ceil(this.group / 2), came.length]
  }

  private carry(): void {
    this.sent.push(this.peer.egress.pacer.sentBytes)
    const reached = this.sent[this.sent.length - 1 - RTT_MS / STEP_MS] ?? 0
    const most = this.acknowledged + (this.rate * STEP_MS) / 8000
    this.acknowledged = Math.min(reached, most)
    const queueMs = ((reached - this.acknowledged) * 8000) / this.rate
    this.rttMs += (RTT_MS + queueMs - this.rttMs) / 8
  }

  private congestion(): Congestion | null {
    if (!this.tells || this.sent.length === 0) return null
    return {
      rttMs: this.rttMs,
      congestionWindow: 200_000,
      bytesInFlight: this.peer.egress.pacer.sentBytes - this.acknowledged,
      deliveryRate: this.rate,
      lostPackets: 0,
    }
  }
}

describe('the path to a subscriber', () => {
  it('is not limited before it shows a queue, whatever the estimate', async () => {
    const rig = await new PathRig().begin()
    await rig.run(3000, 3e6)
    expect(rig.path.dump().budget).toMatchObject({ paced: null, probing: 0 })
    expect(rig.world.relay.tally.paths).toMatchObject({ paddingBytes: 0, heldMs: 0 })
  })

  it('is given less within a moment of its narrowing, and sound is never held back', async () => {
    const rig = await new PathRig().begin()
    await rig.run(3000, 2e6)
    rig.rate = 5e5
    await rig.run(250, 2e6)
    expect(rig.path.budget.pacedBitsPerSecond).toBe(0)
    const [sent, came] = rig.sounds
    expect(came).toBe(sent)
    const before = rig.peer.egress.pacer.sentBytes
    await rig.run(200, 2e6)
    // Sound alone.
    expect(rig.peer.egress.pacer.sentBytes - before).toBeLessThan(400)
    await rig.run(1500, 2e6)
    const { estimate, paced } = rig.path.dump().budget
    expect(estimate).toBeGreaterThan(350_000)
    expect(estimate).toBeLessThan(550_000)
    expect(paced).toBeGreaterThan(300_000)
    await rig.run(10_000, 2e6)
    const [all, arrived] = rig.sounds
    expect(arrived).toBe(all)
    expect(rig.world.relay.tally.paths.heldMs).toBeGreaterThan(1000)
  })

  it('is found out again when it widens', async () => {
    const rig = await new PathRig().begin()
    await rig.run(2000, 2e6)
    rig.rate = 5e5
    await rig.run(4000, 2e6)
    rig.rate = 5e6
    await rig.run(8000, 2e6)
    expect(rig.path.budget.bitsPerSecond).toBeGreaterThan(1.9e6)
    expect(rig.world.relay.tally.paths.probes.success).toBeGreaterThan(0)
  })

  it('keeps its estimate while next to nothing is sent', async () => {
    const rig = await new PathRig().begin()
    await rig.run(3000, 3e6)
    const before = rig.path.budget.bitsPerSecond
    await rig.run(20_000, 0)
    expect(rig.path.budget.bitsPerSecond).toBeGreaterThanOrEqual(before)
    await rig.run(500, 3e6)
    expect(rig.path.budget.pacedBitsPerSecond).toBe(Number.POSITIVE_INFINITY)
  })

  it('is padded only while somebody wants more than was seen to arrive', async () => {
    const rig = await new PathRig().begin()
    const { paths } = rig.world.relay.tally
    await rig.run(2000, 1e6)
    expect(paths.paddingBytes).toBe(0)
    rig.path.budget.want(2e6)
    await rig.run(3000, 1e6)
    expect(paths.paddingBytes).toBeGreaterThan(20_000)
    expect(rig.path.budget.provenBitsPerSecond).toBeGreaterThan(1.9e6)
    const padded = paths.paddingBytes
    rig.path.budget.want(1e6)
    await rig.run(3000, 1e6)
    expect(paths.paddingBytes).toBe(padded)
  })

  it('goes by the reports of a receiver where the transport tells nothing', async () => {
    const rig = await new PathRig(false).begin()
    const report = { intervalMs: 200, bytes: 12_500, received: 20, lost: 0, queueMs: 300 }
    for (let i = 0; i < 10; i++) {
      await rig.run(200, 2e6)
      rig.path.budget.onReport(rig.world.clock.now(), report)
    }
    expect(rig.path.budget.bitsPerSecond).toBeLessThan(500_000)
    expect(rig.path.budget.pacedBitsPerSecond).toBeLessThan(500_000)
    const [sent, came] = rig.sounds
    expect(came).toBe(sent)
  })

  it('is looked at by no timer when nothing is sent, and when the session is over', async () => {
    const rig = await new PathRig().begin()
    await rig.run(1000, 2e6)
    rig.rate = 1e5
    await rig.run(1000, 2e6)
    expect(rig.world.clock.timers).toBeGreaterThan(0)
    rig.subscriber.session.close(0, '')
    rig.publisher.session.close(0, '')
    await rig.world.settle()
    expect(rig.world.clock.timers).toBe(0)
  })

  it('is not there for a service of our own', async () => {
    const world = new RelayWorld()
    world.client({}, true)
    await world.settle()
    expect(world.peers[0]!.path).toBeNull()
  })
})
