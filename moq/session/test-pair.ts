/** For tests, with vitest: two sessions, or a session and a raw peer, on an in-memory transport. */

import { createTransportPair, type MemoryOptions, type TransportPair } from '../transport/memory.ts'
import type { BidiStream, TransportSession } from '../transport/transport.ts'
import type { Codec, DraftRules } from '../wire/codec.ts'
import type { ControlMessage } from '../wire/messages.ts'
import type { MoqObject } from '../wire/object.ts'
import { encodeSubgroupBody, encodeSubgroupHeader } from '../wire/subgroup.ts'
import { codecFor } from '../wire/versions.ts'
import type { SessionHandler, SubscriptionHandler } from './handler.ts'
import { ManualClock } from './manual-clock.ts'
import { MessageParser } from './message-parser.ts'
import { Session } from './session.ts'
import type { SessionOptions } from './session-options.ts'

/**
 * What links of this file's tests speak, unless they say otherwise. A suite of one draft runs again for
 * another in a file that says so and imports it: see `moqt-19.test.ts`.
 */
export const spoken = {
  version: 'moqt-18',
  get rules(): DraftRules {
    return codecFor(this.version).rules
  },
}

type Extra = Partial<Omit<SessionOptions, 'role' | 'handler'>>

/** Where two ends meet; `settle` runs everything that is under way. */
export class TestLink {
  readonly clock = new ManualClock()
  readonly pair: TransportPair
  private tasks: (() => void)[] = []

  constructor(options: Partial<MemoryOptions> = {}) {
    this.pair = createTransportPair({
      schedule: (task) => this.tasks.push(task),
      protocol: spoken.version,
      ...options,
    })
  }

  session(role: 'client' | 'server', handler: SessionHandler, extra: Extra = {}): Session {
    return new Session(this.pair[role], { role, handler, clock: this.clock, ...extra })
  }

  raw(role: 'client' | 'server'): RawPeer {
    return new RawPeer(this.pair[role])
  }

  async settle(): Promise<void> {
    do {
      const { tasks } = this
      this.tasks = []
      for (const task of tasks) task()
      await Promise.resolve()
      await Promise.resolve()
    } while (this.tasks.length > 0)
  }
}

/** A peer that says whatever a test wants. It has said SETUP. */
export class RawPeer {
  readonly transport: TransportSession
  /** Requests of the other side's, in order. */
  readonly requests: RawRequest[] = []
  /** Resets and ends of its data streams, by what came before: `h<bytes> fin`, `reset <code>`. */
  closed: { code: number; reason: string } | null = null
  private readonly codec: Codec

  constructor(transport: TransportSession) {
    this.transport = transport
    this.codec = codecFor(transport.protocol)
    transport.handler = {
      onUni: (stream) => {
        stream.handler = { onBytes() {}, onReset() {} }
      },
      onBidi: (stream) => this.requests.push(new RawRequest(stream, this.codec)),
      onDatagram: () => {},
      onStreamCredit: () => {},
      onRoom: () => {},
      onClosed: ({ code, reason }) => {
        this.closed = { code, reason }
      },
    }
    transport.openUni(0)!.write(this.codec.encode({ type: 'SETUP', options: [] }))
  }

  request(...messages: ControlMessage[]): RawRequest {
    const request = new RawRequest(this.transport.openBidi(1)!, this.codec)
    request.send(...messages)
    return request
  }

  /** A subgroup stream with one object; @returns the codes it was stopped with */
  subgroup(trackAlias: number, group: number, object: number, finish = true): number[] {
    const stopped: number[] = []
    const stream = this.transport.openUni(1)!
    stream.handler = { onStopped: (code) => stopped.push(code) }
    stream.write(
      encodeSubgroupHeader({
        trackAlias,
        group,
        subgroup: 0,
        priority: null,
        hasProperties: false,
        endOfGroup: false,
        firstObject: object === 0,
      }),
    )
    stream.write(Uint8Array.of(object))
    stream.write(encodeSubgroupBody(null, Uint8Array.of(1)))
    if (finish) stream.finish()
    return stopped
  }
}

export class RawRequest {
  readonly received: ControlMessage[] = []
  ended = false
  /** Codes that the other side reset or stopped with. */
  readonly cancelled: number[] = []
  private readonly stream: BidiStream
  private readonly codec: Codec

  constructor(stream: BidiStream, codec: Codec) {
    this.stream = stream
    this.codec = codec
    const parser = new MessageParser((type, payload) =>
      this.received.push(codec.decode(type, payload, 'request')),
    )
    stream.receive.handler = {
      onBytes: (bytes, fin) => {
        parser.feed(bytes)
        this.ended ||= fin
      },
      onReset: (code) => this.cancelled.push(code),
    }
    stream.send.handler = { onStopped: (code) => this.cancelled.push(code) }
  }

  get types(): string[] {
    return this.received.map(({ type }) => type)
  }

  /** In one piece. */
  send(...messages: ControlMessage[]): void {
    const parts = messages.map((message) => this.codec.encode(message))
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    this.stream.send.write(bytes)
  }

  sendBytes(bytes: Uint8Array): void {
    this.stream.send.write(bytes)
  }

  finish(): void {
    this.stream.send.finish()
  }

  /** Reads nothing more. */
  pause(): void {
    this.stream.receive.pause()
  }

  reset(code: number): void {
    this.stream.send.reset(code)
    this.stream.receive.stop(code)
  }
}

/** Remembers what a subscription is told, as short lines. */
export class Log implements SubscriptionHandler {
  readonly lines: string[] = []

  onAccepted(): void {
    this.lines.push('accepted')
  }

  onRejected({ code }: { code: number }): void {
    this.lines.push(`rejected 0x${code.toString(16)}`)
  }

  onObject(object: MoqObject, subgroup: unknown): void {
    this.lines.push(`${subgroup ? 'object' : 'datagram'} ${object.group}/${object.object}`)
  }

  onSubgroupEnd(): void {
    this.lines.push('end')
  }

  onSubgroupReset(_: unknown, code: number): void {
    this.lines.push(`reset ${code}`)
  }

  onDone({ status }: { status: number }): void {
    this.lines.push(`done ${status}`)
  }

  onDrained(): void {
    this.lines.push('drained')
  }
}
