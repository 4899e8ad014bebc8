import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import type { Config } from '../config.ts'
import type { ToWorker } from './messages.ts'
import { WorkerPool } from './worker-pool.ts'
import type { ProcessEvents, WorkerProcess } from './worker-slot.ts'

/** A process that does what a test says. */
class FakeProcess implements WorkerProcess {
  readonly index: number
  readonly told: ToWorker[] = []
  killed = false
  private readonly events: ProcessEvents

  constructor(index: number, events: ProcessEvents) {
    this.index = index
    this.events = events
  }

  send(message: ToWorker): void {
    this.told.push(message)
  }

  kill(): void {
    this.killed = true
    this.exit('SIGKILL')
  }

  say(message: unknown): void {
    this.events.onMessage(message)
  }

  exit(how: string): void {
    this.events.onExit(how)
  }

  serve(): void {
    const start = this.told.find(({ type }) => type === 'start')
    if (start?.type !== 'start') throw new Error('not started')
    this.say({ type: 'serving', port: start.config.port || 9000 + this.index })
  }

  /** Answers the last question of a kind. */
  answer(kind: string, answer: unknown): void {
    const asked = this.told.findLast((one) => one.type === 'ask' && one.question.kind === kind)
    if (asked?.type !== 'ask') throw new Error(`not asked ${kind}`)
    this.say({ type: 'answer', id: asked.id, answer })
  }

  types(): string[] {
    return this.told.map((message) =>
      message.type === 'ask' ? message.question.kind : message.type,
    )
  }
}

const config = { port: 0, workers: 2 } as Config
const certificate = { cert: '', key: '', sha256: '' } as never
let clock: ManualClock
let processes: FakeProcess[]
let gone: unknown[]
let back: number[]
let givenUp: string[]
let pool: WorkerPool

beforeEach(() => {
  clock = new ManualClock()
  processes = []
  gone = []
  back = []
  givenUp = []
  pool = new WorkerPool({
    count: 2,
    clock,
    spawn: (index, events) => {
      const process = new FakeProcess(index, events)
      processes.push(process)
      return process
    },
    startOf: () => ({ config, certificate, revocations: [] }),
    onGone: (index, how, restartMs) => gone.push([index, how, restartMs]),
    onBack: (index) => back.push(index),
    onGivenUp: (reason) => givenUp.push(reason),
  })
})

afterEach(() => expect(clock.timers).toBeLessThan(10))

const latest = (index: number) => processes.findLast((process) => process.index === index)!

async function started(): Promise<void> {
  const starting = pool.start()
  for (const process of [...processes]) process.serve()
  await starting
}

describe('a pool of workers', () => {
  it('serves when all do, and tells them the ports of each other', async () => {
    let isUp = false
    const starting = pool.start().then(() => {
      isUp = true
    })
    processes[1]!.serve()
    await Promise.resolve()
    expect([isUp, pool.serving, pool.ports]).toEqual([false, 1, []])
    processes[0]!.serve()
    await starting
    expect(pool.ports).toEqual([9000, 9001])
    for (const { told } of processes) {
      expect(told.at(-1)).toEqual({ type: 'ports', ports: [9000, 9001] })
    }
  })

  it('says why one cannot serve, and starts it no second time', async () => {
    const starting = pool.start()
    processes[0]!.serve()
    processes[1]!.say({ type: 'failed', reason: 'the port is in use' })
    processes[1]!.exit('it ended with code 1')
    await expect(starting).rejects.toThrow('worker 1: the port is in use')
    expect(processes).toHaveLength(2)
    const finished = pool.finish('close', 1000)
    processes[0]!.exit('it ended with code 0')
    await finished
    expect(clock.timers).toBe(0)
  })

  it('gives up one that does not start in time', async () => {
    const starting = pool.start()
    processes[0]!.serve()
    clock.advance(59_999)
    expect(processes[1]!.killed).toBe(false)
    clock.advance(1)
    await expect(starting).rejects.toThrow('worker 1: it did not start in time')
    expect(processes[1]!.killed).toBe(true)
  })

  it('starts a worker again that is gone, on its port', async () => {
    await started()
    latest(1).exit('SIGKILL')
    expect(gone).toEqual([[1, 'SIGKILL', 100]])
    expect([pool.serving, pool.isServing(1), pool.restarts]).toEqual([1, false, 1])
    clock.advance(100)
    expect(latest(1).told[0]).toMatchObject({
      type: 'start',
      index: 1,
      count: 2,
      ports: [9000, 9001],
      config: { port: 9001 },
    })
    latest(1).serve()
    expect([back, pool.serving]).toEqual([[1], 2])
    expect(latest(0)).toBe(processes[0])
  })

  it('pauses longer each time, and gives up one that does not stay', async () => {
    await started()
    const pauses: number[] = []
    while (givenUp.length === 0) {
      latest(0).exit('it ended with code 1')
      const last = gone.at(-1) as [number, string, number]
      if (givenUp.length > 0) break
      pauses.push(last[2])
      clock.advance(last[2])
      if (pauses.length % 2 === 0) latest(0).serve()
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000])
    expect(givenUp).toEqual(['worker 0: it ended with code 1'])
  })

  it('counts anew after a worker has served for long', async () => {
    await started()
    for (let end = 0; end < 30; end++) {
      for (let second = 0; second < 31; second++) {
        clock.advance(1000)
        for (const process of [latest(0), latest(1)]) {
          if (process.told.at(-1)?.type === 'ask') process.answer('pulse', true)
        }
        await Promise.resolve()
        await Promise.resolve()
      }
      latest(0).exit('SIGSEGV')
      clock.advance(100)
      latest(0).serve()
    }
    expect(givenUp).toEqual([])
  })

  it('kills a worker that does not answer any more, and starts another one', async () => {
    await started()
    clock.advance(5000)
    latest(0).answer('pulse', true)
    clock.advance(19_000)
    expect(latest(1).killed).toBe(false)
    clock.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(latest(1).killed).toBe(true)
    expect(gone).toEqual([[1, 'it did not answer any more', 100]])
    expect(latest(0).killed).toBe(false)
  })

  it('kills a worker that says what no worker says', async () => {
    await started()
    latest(1).say({ type: 'serving', port: 'many' })
    expect(latest(1).killed).toBe(true)
    expect(pool.serving).toBe(1)
  })

  it('asks all, and goes on with what is answered in time and in form', async () => {
    await started()
    const asked = pool.askAll({ kind: 'not-ready' }, 1000)
    latest(0).answer('not-ready', ['draining'])
    latest(1).answer('not-ready', 'well')
    expect(await asked).toEqual(new Map([[0, ['draining']]]))
    const late = pool.askAll({ kind: 'room-sizes' }, 1000)
    latest(1).answer('room-sizes', [{ room: 'a', participants: 2 }])
    clock.advance(1000)
    expect(await late).toEqual(new Map([[1, [{ room: 'a', participants: 2 }]]]))
    // It comes too late, and of a question that nobody has.
    latest(0).answer('room-sizes', [])
    latest(0).say({ type: 'answer', id: 99, answer: 1 })
    const cut = pool.ask(0, { kind: 'not-ready' }, 1000)
    latest(0).exit('SIGKILL')
    expect(await cut).toBeNull()
    expect(await pool.ask(0, { kind: 'not-ready' }, 1000)).toBeNull()
    expect(await pool.ask(7, { kind: 'not-ready' }, 1000)).toBeNull()
  })

  it('drains all, kills what lasts too long, and starts none again', async () => {
    await started()
    const finished = pool.finish('drain', 4000)
    expect(processes.map((process) => process.types().at(-1))).toEqual(['drain', 'drain'])
    latest(0).exit('it ended with code 0')
    clock.advance(3999)
    expect(latest(1).killed).toBe(false)
    clock.advance(1)
    await finished
    expect(latest(1).killed).toBe(true)
    expect([processes.length, gone, givenUp, pool.serving]).toEqual([2, [], [], 0])
    expect(clock.timers).toBe(0)
  })

  it('ends at once while it drains, and where there is no process just now', async () => {
    await started()
    latest(0).exit('SIGKILL')
    void pool.finish('drain', 60_000)
    const closed = pool.finish('close', 1000)
    expect(latest(1).types().slice(-2)).toEqual(['drain', 'close'])
    clock.advance(1000)
    await closed
    expect(processes).toHaveLength(2)
  })
})
