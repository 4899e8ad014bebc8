/** The call's worker: its script holds MLS, SFrame and MoQT, and so is what takes longest to load. */

import { startWorker } from './start-worker.ts'
import { rememberedTransport } from './transport-memory.ts'
import type { JoinOptions } from './types.ts'
import workerUrl from './worker/main.ts?worker&url'
import type { Preparations, ToWorker } from './worker-protocol.ts'

/** What is known already of the call that is to come. */
export type ExpectedCall = Partial<
  Pick<JoinOptions, 'url' | 'certificateHashes' | 'suite' | 'transport'>
>

const NAME = 'sotto call'

let waiting: Worker | null = null

/** Starts the worker of the next call, unless it waits already, and tells it what is known of that call. */
export function preloadWorker(expected: ExpectedCall = {}): void {
  const worker = waiting ?? startWaiting()
  const message: ToWorker = { type: 'prepare', preparations: preparationsFor(expected) }
  worker.postMessage(message)
}

function startWaiting(): Worker {
  const worker = startWorker(workerUrl, NAME)
  waiting = worker
  // The call tries again by itself, and tells when it cannot.
  worker.onerror = () => {
    worker.terminate()
    if (waiting === worker) waiting = null
  }
  return worker
}

function preparationsFor(expected: ExpectedCall): Preparations {
  const { url, certificateHashes = [], suite = 'x-wing', transport = 'auto' } = expected
  if (url === undefined || transport === 'websocket') return { suite, relay: null }
  const isUsual =
    transport === 'webtransport' || rememberedTransport(url, Date.now()) !== 'websocket'
  return { suite, relay: isUsual && URL.canParse(url) ? { url, certificateHashes } : null }
}

/** The worker that waits, else a new one; the caller sets `onerror`. */
export function takeWorker(): Worker {
  const worker = waiting ?? startWorker(workerUrl, NAME)
  waiting = null
  return worker
}
