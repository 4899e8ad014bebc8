import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ProcessEvents, WorkerProcess } from './worker-slot.ts'

const MAIN = fileURLToPath(new URL('worker-main.ts', import.meta.url))

/** A real process, with the flags of Node that this one has; what it writes goes where ours goes. */
export function forkWorker({ onMessage, onExit }: ProcessEvents): WorkerProcess {
  const child = fork(MAIN, [], {
    // As structured clones: settings may be infinite.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let isGone = false
  const gone = (how: string) => {
    if (isGone) return
    isGone = true
    onExit(how)
  }
  child.on('message', onMessage)
  child.on('exit', (code, signal) => gone(signal ?? `it ended with code ${code}`))
  // It could not be started, or not be killed.
  child.on('error', (error) => {
    if (child.pid === undefined) gone(error.message)
  })
  return {
    // Where it is gone its exit is told, and soon.
    send: (message) => void child.send(message, () => undefined),
    kill: () => void child.kill('SIGKILL'),
  }
}
