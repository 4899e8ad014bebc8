/** The worker processes of a relay, and what is asked of all of them. */

import type { Clock } from '../../moq/session/index.ts'
import type { Answers, Question, ToWorker, WorkerStart } from './messages.ts'
import {
  type ProcessEvents,
  type WorkerProcess,
  WorkerSlot,
  type WorkerSlotSettings,
} from './worker-slot.ts'

/** Workers cannot serve. The message is one line for the operator. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError'
}

export interface WorkerPoolOptions {
  readonly count: number
  readonly clock: Clock
  readonly settings?: Partial<WorkerSlotSettings>
  readonly spawn: (index: number, events: ProcessEvents) => WorkerProcess
  /** What a worker is started with, but for what the pool knows. */
  readonly startOf: (index: number) => Omit<WorkerStart, 'index' | 'count' | 'ports'>
  /** A process that served is gone. */
  readonly onGone: (index: number, how: string, restartMs: number) => void
  readonly onBack: (index: number) => void
  /** After the start: one is given up. A sentence for the operator. */
  readonly onGivenUp: (reason: string) => void
}

export class WorkerPool {
  private readonly options: WorkerPoolOptions
  private readonly slots: WorkerSlot[]
  /** Of each worker; a process that is started again takes the same. */
  private readonly known: (number | undefined)[]
  private readonly started = Promise.withResolvers<void>()
  private isUp = false
  private ends = 0

  constructor(options: WorkerPoolOptions) {
    this.options = options
    this.known = Array.from({ length: options.count })
    this.slots = Array.from({ length: options.count }, (_, index) => this.makeSlot(index))
  }

  /** Workers that serve. */
  get serving(): number {
    return this.slots.filter(({ serving }) => serving).length
  }

  /** Processes that took the place of another one. */
  get restarts(): number {
    return this.ends
  }

  /** UDP and TCP port of each worker; of none before all serve. */
  get ports(): readonly number[] {
    const ports = this.known.filter((port) => port !== undefined)
    return ports.length === this.known.length ? ports : []
  }

  isServing(index: number): boolean {
    return this.slots[index]?.serving ?? false
  }

  /**
   * Starts all of them.
   * @throws WorkerError when one cannot serve; `finish` is to follow
   */
  async start(): Promise<void> {
    for (const slot of this.slots) slot.start()
    await this.started.promise
    this.isUp = true
    this.tell({ type: 'ports', ports: this.ports })
  }

  /** To all. */
  tell(message: ToWorker): void {
    for (const slot of this.slots) slot.tell(message)
  }

  /** @returns null when it does not answer in time */
  ask<Kind extends Question['kind']>(
    index: number,
    question: Extract<Question, { kind: Kind }>,
    withinMs: number,
  ): Promise<Answers[Kind] | null> {
    return this.slots[index]?.ask(question, withinMs) ?? Promise.resolve(null)
  }

  /** @returns what those answer that do in time, by their numbers */
  async askAll<Kind extends Question['kind']>(
    question: Extract<Question, { kind: Kind }>,
    withinMs: number,
  ): Promise<Map<number, Answers[Kind]>> {
    const answers = await Promise.all(this.slots.map((slot) => slot.ask(question, withinMs)))
    const given = new Map<number, Answers[Kind]>()
    for (const [index, answer] of answers.entries()) {
      if (answer !== null) given.set(index, answer)
    }
    return given
  }

  /** Has all end; what lasts longer than `withinMs` is killed. */
  async finish(how: 'drain' | 'close', withinMs: number): Promise<void> {
    for (const slot of this.slots) slot.finish(how, withinMs)
    await Promise.all(this.slots.map(({ ended }) => ended))
  }

  private makeSlot(index: number): WorkerSlot {
    const { clock, settings, spawn, onGone } = this.options
    return new WorkerSlot({
      clock,
      ...(settings && { settings }),
      spawn: (events) => spawn(index, events),
      start: () => this.startOf(index),
      onServing: (port) => this.onServing(index, port),
      onGone: (how, restartMs) => {
        this.ends++
        onGone(index, how, restartMs)
      },
      onGivenUp: (reason) => this.onGivenUp(index, reason),
    })
  }

  private startOf(index: number): ToWorker {
    const { count, startOf } = this.options
    const { config, ...rest } = startOf(index)
    const port = this.known[index] ?? config.port
    const { ports } = this
    return { type: 'start', index, count, ports, ...rest, config: { ...config, port } }
  }

  private onServing(index: number, port: number): void {
    this.known[index] = port
    if (this.isUp) this.options.onBack(index)
    else if (this.serving === this.slots.length) this.started.resolve()
  }

  private onGivenUp(index: number, reason: string): void {
    const sentence = `worker ${index}: ${reason}`
    if (this.isUp) this.options.onGivenUp(sentence)
    else this.started.reject(new WorkerError(sentence))
  }
}
