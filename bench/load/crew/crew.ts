import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromWorker, ToWorker, WorkerPlan, WorkerProgress, WorkerResult } from './protocol.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

/** A run that could not be played to its end; the message says why. */
export class CrewError extends Error {
  override readonly name = 'CrewError'
}

/**
 * Worker processes that play the participants of a plan, so that the load comes from several cores and
 * the bench itself, which measures the relay, does nothing else.
 */
export class Crew {
  private readonly workers: readonly Worker[]

  private constructor(workers: readonly Worker[]) {
    this.workers = workers
  }

  /** @returns once all of them run */
  static async start(count: number): Promise<Crew> {
    const crew = new Crew(Array.from({ length: count }, () => new Worker()))
    try {
      await Promise.all(crew.workers.map(({ ready }) => ready))
    } catch (error) {
      crew.stop()
      throw error
    }
    return crew
  }

  /**
   * @param plans one for each worker
   * @param startAt of the machine's clock, ms
   * @param onProgress the sum of all workers, about once a second
   * @throws CrewError when a worker fails
   */
  play(
    plans: readonly WorkerPlan[],
    startAt: number,
    onProgress: (progress: WorkerProgress) => void,
  ): Promise<WorkerResult[]> {
    const latest: WorkerProgress[] = []
    const told = (index: number) => (progress: WorkerProgress) => {
      latest[index] = progress
      // The first worker gives the beat.
      if (index === 0) onProgress(sumOf(latest))
    }
    return Promise.all(
      this.workers.map((worker, index) => worker.play(plans[index]!, startAt, told(index))),
    )
  }

  stop(): void {
    for (const worker of this.workers) worker.stop()
  }
}

class Worker {
  readonly ready: Promise<void>
  private readonly child: ChildProcess
  private readonly result = Promise.withResolvers<WorkerResult>()
  private onProgress: (progress: WorkerProgress) => void = () => {}

  constructor() {
    const ready = Promise.withResolvers<void>()
    this.ready = ready.promise
    this.child = fork(WORKER, { serialization: 'advanced' })
    // It fails at most one of them that somebody waits for.
    this.result.promise.catch(() => {})
    const fail = (reason: string) => {
      const error = new CrewError(`a worker failed: ${reason}`)
      ready.reject(error)
      this.result.reject(error)
    }
    this.child.on('message', (message: FromWorker) => {
      if (message.type === 'ready') ready.resolve()
      else if (message.type === 'progress') this.onProgress(message.progress)
      else if (message.type === 'result') this.result.resolve(message.result)
      else fail(message.reason)
    })
    this.child.on('error', (error) => fail(error.message))
    this.child.on('exit', (code, signal) => fail(`it ended with ${signal ?? code}`))
  }

  play(
    plan: WorkerPlan,
    startAt: number,
    onProgress: (progress: WorkerProgress) => void,
  ): Promise<WorkerResult> {
    this.onProgress = onProgress
    const message: ToWorker = { type: 'play', plan, startAt }
    this.child.send(message)
    return this.result.promise
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect()
  }
}

function sumOf(all: readonly (WorkerProgress | undefined)[]): WorkerProgress {
  const sum = { joined: 0, sent: 0, received: 0, receivedBytes: 0 }
  for (const each of all) {
    if (!each) continue
    sum.joined += each.joined
    sum.sent += each.sent
    sum.received += each.received
    sum.receivedBytes += each.receivedBytes
  }
  return sum
}
