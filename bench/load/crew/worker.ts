/** The program of a worker process: plays its part of a plan when told to, answers, and ends. */

import { Player } from './player.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}

function failed(error: unknown): void {
  tell({
    type: 'failed',
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
}

process.on('message', (message: ToWorker) => {
  new Player(message.plan, message.startAt)
    .play((progress) => tell({ type: 'progress', progress }))
    .then((result) => tell({ type: 'result', result }), failed)
})
process.on('uncaughtException', failed)
// Without the bench that began it, it has nothing to do.
process.on('disconnect', () => process.exit(0))
tell({ type: 'ready' })
