/**
 * The place of one worker: keeps a process there. One that ends is started again, after a pause that grows
 * with each time; one that does not answer any more is killed first.
 */

import type { Clock } from '../../moq/session/index.ts'
import {
  type Answers,
  answerSchemas,
  type Question,
  readFromWorker,
  type ToWorker,
} from './messages.ts'

/** A process as the slot has it. */
export interface WorkerProcess {
  send(message: ToWorker): void
  /** Ends it at once, whatever it does. */
  kill(): void
}

export interface ProcessEvents {
  onMessage(message: unknown): void
  /** It is gone. @param how e.g. `exit code 1` */
  onExit(how: string): void
}

export interface WorkerSlotOptions {
  readonly clock: Clock
  readonly spawn: (events: ProcessEvents) => WorkerProcess
  /** What a process is told first. */
  readonly start: () => ToWorker
  readonly settings?: Partial<WorkerSlotSettings>
  readonly onServing: (port: number) => void
  /** Its process ended by itself; another one follows. */
  readonly onGone: (how: string, restartMs: number) => void
  /** It never served, or ended too often: nothing follows. A sentence for the operator. */
  readonly onGivenUp: (reason: string) => void
}

export interface WorkerSlotSettings {
  /** Within this a process serves, ms. */
  readonly startMs: number
  /** Pause before the next start, ms: the first one, doubled each time, and at most. */
  readonly pauseMs: number
  readonly mostPauseMs: number
  /** So many ends in a row are given another start. */
  readonly mostRestarts: number
  /** A process that served for so long was good: ends count anew, ms. */
  readonly stableMs: number
  /** Between two looks whether it answers, and how long it may take to, ms. */
  readonly pulseMs: number
  readonly silenceMs: number
}

const DEFAULT_SETTINGS: WorkerSlotSettings = {
  startMs: 60_000,
  pauseMs: 100,
  mostPauseMs: 10_000,
  mostRestarts: 8,
  stableMs: 30_000,
  pulseMs: 5000,
  silenceMs: 20_000,
}

type State = 'starting' | 'serving' | 'waiting' | 'ending' | 'over'

interface Waiting {
  take(answer: unknown): void
}

export class WorkerSlot {
  private readonly options: WorkerSlotOptions
  private readonly settings: WorkerSlotSettings
  private readonly questions = new Map<number, Waiting>()
  private readonly end = Promise.withResolvers<void>()
  private process: WorkerProcess | null = null
  private now: State = 'waiting'
  private lastQuestion = 0
  private everServed = false
  private servesSince = 0
  private ends = 0
  /** What a process that could not start said. */
  private failure: string | null = null
  private cancelTimer: () => void = () => {}

  constructor(options: WorkerSlotOptions) {
    this.options = options
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings }
  }

  get serving(): boolean {
    return this.now === 'serving'
  }

  /** There is no process any more, and none will be. */
  get ended(): Promise<void> {
    return this.end.promise
  }

  start(): void {
    const { spawn, start } = this.options
    this.now = 'starting'
    this.failure = null
    const process: WorkerProcess = spawn({
      onMessage: (message) => {
        if (process === this.process) this.onMessage(message)
      },
      onExit: (how) => {
        if (process === this.process) this.onExit(how)
      },
    })
    this.process = process
    process.send(start())
    this.later(this.settings.startMs, () => {
      this.failure = 'it did not start in time'
      process.kill()
    })
  }

  /** To the process that is there, if any; the next one knows from its start. */
  tell(message: ToWorker): void {
    this.process?.send(message)
  }

  /** @returns null when there is no process, or no answer of the kind in time */
  ask<Kind extends Question['kind']>(
    question: Extract<Question, { kind: Kind }>,
    withinMs: number,
  ): Promise<Answers[Kind] | null> {
    const { process } = this
    if (!process) return Promise.resolve(null)
    const schema = answerSchemas[question.kind as Kind]
    const id = ++this.lastQuestion
    return new Promise((resolve) => {
      const settle = (answer: Answers[Kind] | null) => {
        this.questions.delete(id)
        cancel()
        resolve(answer)
      }
      const cancel = this.options.clock.after(withinMs, () => settle(null))
      this.questions.set(id, {
        take: (answer) => {
          const read = schema.safeParse(answer)
          settle(read.success ? (read.data as Answers[Kind]) : null)
        },
      })
      process.send({ type: 'ask', id, question })
    })
  }

  /**
   * Has the process end, and no other one start.
   * @param withinMs it is killed then
   */
  finish(how: 'drain' | 'close', withinMs: number): void {
    if (this.now === 'over') return
    const { process } = this
    this.now = 'ending'
    if (!process) {
      this.over()
      return
    }
    process.send({ type: how })
    this.later(withinMs, () => process.kill())
  }

  // ---- what the process does

  private onMessage(message: unknown): void {
    const read = readFromWorker(message)
    switch (read?.type) {
      case 'serving':
        this.onServing(read.port)
        break
      case 'failed':
        this.failure = read.reason
        break
      case 'answer':
        this.questions.get(read.id)?.take(read.answer)
        break
      case undefined:
        // Not of our making: whatever it is, it does not serve.
        this.process?.kill()
    }
  }

  private onServing(port: number): void {
    if (this.now !== 'starting') return
    this.now = 'serving'
    this.everServed = true
    this.servesSince = this.options.clock.now()
    this.options.onServing(port)
    this.later(this.settings.pulseMs, () => void this.feelPulse())
  }

  private onExit(how: string): void {
    const { clock, onGivenUp, onGone } = this.options
    const { stableMs, mostRestarts, pauseMs, mostPauseMs } = this.settings
    this.process = null
    for (const question of [...this.questions.values()]) question.take(undefined)
    const why = this.failure ?? how
    if (this.now === 'ending') {
      this.over()
      return
    }
    if (this.now === 'serving' && clock.now() - this.servesSince >= stableMs) this.ends = 0
    this.ends++
    if (!this.everServed || this.ends > mostRestarts) {
      this.over()
      onGivenUp(why)
      return
    }
    this.now = 'waiting'
    const pause = Math.min(mostPauseMs, pauseMs * 2 ** (this.ends - 1))
    this.later(pause, () => this.start())
    onGone(why, pause)
  }

  private async feelPulse(): Promise<void> {
    const { process } = this
    const alive = await this.ask({ kind: 'pulse' }, this.settings.silenceMs)
    if (process !== this.process || this.now !== 'serving') return
    if (alive) this.later(this.settings.pulseMs, () => void this.feelPulse())
    else {
      this.failure = 'it did not answer any more'
      process?.kill()
    }
  }

  private over(): void {
    this.now = 'over'
    this.cancelTimer()
    this.end.resolve()
  }

  /** One timer at a time: each belongs to what the slot waits for now. */
  private later(ms: number, task: () => void): void {
    this.cancelTimer()
    this.cancelTimer = this.options.clock.after(ms, task)
  }
}
