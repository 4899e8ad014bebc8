/** The call's worker: its script holds MLS, SFrame and MoQT, and so is what takes longest to load. */

import workerUrl from './worker/main.ts?worker&url'

let waiting: Worker | null = null

/**
 * Loads and starts what the next `joinCall` needs before it is called: for a page that asks for a name
 * and devices first. Does nothing where that waits already.
 */
export function preloadCall(): void {
  if (waiting !== null) return
  const worker = startWorker(workerUrl)
  waiting = worker
  // The call tries again by itself, and tells when it cannot.
  worker.onerror = () => {
    worker.terminate()
    if (waiting === worker) waiting = null
  }
}

/** The worker that waits, else a new one; the caller sets `onerror`. */
export function takeWorker(): Worker {
  const worker = waiting ?? startWorker(workerUrl)
  waiting = null
  return worker
}

/**
 * Starts the worker from where the library was loaded. A worker's script must be of the page's own
 * origin: where the library comes from another, a line of ours imports it.
 */
function startWorker(url: string): Worker {
  const options: WorkerOptions = { type: 'module', name: 'sotto call' }
  if (new URL(url, location.href).origin === location.origin) return new Worker(url, options)
  const stub = new Blob([`import ${JSON.stringify(url)}`], { type: 'text/javascript' })
  const stubUrl = URL.createObjectURL(stub)
  const worker = new Worker(stubUrl, options)
  // The worker has its script once it says anything.
  worker.addEventListener('message', () => URL.revokeObjectURL(stubUrl), { once: true })
  return worker
}
