/** The call's worker: its script holds MLS, SFrame and MoQT, and so is what takes longest to load. */

import { startWorker } from './start-worker.ts'
import workerUrl from './worker/main.ts?worker&url'

const NAME = 'sotto call'

let waiting: Worker | null = null

/** Loads and starts the worker of the next call. Does nothing where one waits already. */
export function preloadWorker(): void {
  if (waiting !== null) return
  const worker = startWorker(workerUrl, NAME)
  waiting = worker
  // The call tries again by itself, and tells when it cannot.
  worker.onerror = () => {
    worker.terminate()
    if (waiting === worker) waiting = null
  }
}

/** The worker that waits, else a new one; the caller sets `onerror`. */
export function takeWorker(): Worker {
  const worker = waiting ?? startWorker(workerUrl, NAME)
  waiting = null
  return worker
}
