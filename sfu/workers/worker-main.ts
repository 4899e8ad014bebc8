/** The process of a worker; its parent starts it and speaks with it over the channel of `fork`. */

import { explain } from '../explain.ts'
import { createLogger } from '../operate/log.ts'
import { type FromWorker, readToWorker } from './messages.ts'
import { Worker } from './worker.ts'

const worker = new Worker({
  log: ({ index, config }) =>
    createLogger({ level: config.logLevel, format: config.logFormat, worker: index }),
  send,
  explain,
  exit: (code) => process.exit(code),
})

process.on('message', (message) => worker.take(readToWorker(message)))
process.on('disconnect', () => worker.close())
// They reach the parent as well, which says what is to be done.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)

function send(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    // The parent may be gone in this moment.
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
    else resolve()
  })
}
