/**
 * Starts a worker from where the library was loaded. A worker's script must be of the page's own
 * origin: where the library comes from another, a line of ours imports it.
 * @param name shown by the browser's tools
 */
export function startWorker(url: string, name: string): Worker {
  const options: WorkerOptions = { type: 'module', name }
  if (new URL(url, location.href).origin === location.origin) return new Worker(url, options)
  const stub = new Blob([`import ${JSON.stringify(url)}`], { type: 'text/javascript' })
  const stubUrl = URL.createObjectURL(stub)
  const worker = new Worker(stubUrl, options)
  // The worker has its script once it says anything.
  worker.addEventListener('message', () => URL.revokeObjectURL(stubUrl), { once: true })
  return worker
}
