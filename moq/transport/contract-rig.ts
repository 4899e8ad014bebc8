import { expect } from 'vitest'
import { ContractPeer, type Inbound, Monitor, Watch } from './contract-peer.ts'
import type { TransportSession } from './transport.ts'

export interface ContractFeatures {
  /** Whether datagrams are carried. Default true. */
  datagrams?: boolean
  /** Unidirectional streams that may be open at once; the credit test is skipped without it. */
  streamCredit?: number
  /** Largest code that resets and stops carry. Default 2^32 - 1, as over WebTransport. */
  largestStreamCode?: number
  /** Path that the server should see. */
  path?: string
  /** Authority that the server should see. */
  authority?: string
}

export interface ContractPair {
  client: TransportSession
  server: TransportSession
  dispose(): Promise<void>
  features?: ContractFeatures
}

/**
 * Makes a connected pair. A factory whose sessions come from a network calls `attach` in the tick in
 * which a session is handed over, so that its handler is set in time; the suite attaches what was
 * not attached.
 */
export type ContractFactory = (attach: (session: TransportSession) => void) => Promise<ContractPair>

/** What the contract's tests work with: a pair under watch, made anew for each of them. */
export class ContractRig {
  readonly #factory: ContractFactory
  monitor = new Monitor()
  watch = new Watch()
  pair!: ContractPair
  client!: ContractPeer
  server!: ContractPeer

  constructor(factory: ContractFactory) {
    this.#factory = factory
  }

  get largestCode(): number {
    return this.pair.features?.largestStreamCode ?? 0xffff_ffff
  }

  async connect(onAttached?: (peer: ContractPeer) => void): Promise<void> {
    this.monitor = new Monitor()
    this.watch = new Watch()
    const peers = new Map<TransportSession, ContractPeer>()
    const attach = (session: TransportSession) => {
      if (peers.has(session)) return
      const peer = new ContractPeer(session, this.monitor, this.watch)
      peers.set(session, peer)
      onAttached?.(peer)
    }
    this.pair = await this.#factory(attach)
    attach(this.pair.client)
    attach(this.pair.server)
    this.client = peers.get(this.pair.client)!
    this.server = peers.get(this.pair.server)!
  }

  /** Ends the pair and looks back: what no test may have seen. */
  async dispose(): Promise<void> {
    await this.pair.dispose()
    expect(this.monitor.violations).toEqual([])
    for (const peer of [this.client, this.server]) {
      expect(peer.closed.length).toBeLessThanOrEqual(1)
      expect(peer.afterClosed).toBe(0)
      for (const inbound of [...peer.unis, ...peer.bidis.map((bidi) => bidi.inbound)]) {
        expect(inbound.late).toBe(0)
      }
    }
  }

  /** Both ways, as [title, sender, receiver]: every ability holds in either direction. */
  directions() {
    return [
      ['client to server', this.client, this.server],
      ['server to client', this.server, this.client],
    ] as const
  }

  async nextUni(receiver: ContractPeer, count: number): Promise<Inbound> {
    await this.watch.until(`stream ${count} arrives`, () => receiver.unis.length >= count)
    return receiver.unis[count - 1]!
  }

  async nextBidi(receiver: ContractPeer, count: number) {
    await this.watch.until(`bidi stream ${count} arrives`, () => receiver.bidis.length >= count)
    return receiver.bidis[count - 1]!
  }

  ended(inbound: Inbound): Promise<void> {
    return this.watch.until('the stream ends', () => inbound.ended)
  }

  /** A byte there and back on a stream of its own: what was under way before has had its time. */
  async roundTrip(from: ContractPeer, to: ContractPeer): Promise<void> {
    const count = to.bidis.length
    const { inbound, outbound } = await from.bidi()
    outbound.write(new Uint8Array([1])).finish()
    const there = await this.nextBidi(to, count + 1)
    await this.ended(there.inbound)
    there.outbound.write(new Uint8Array([2])).finish()
    await this.ended(inbound)
  }
}
