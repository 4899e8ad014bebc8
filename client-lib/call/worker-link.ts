import { takeWorker } from './call-worker.ts'
import type { FromWorker, ToWorker } from './worker-protocol.ts'

/** What is done about each message of the worker's. */
export type WorkerHandlers = {
  readonly [T in FromWorker['type']]: (message: Extract<FromWorker, { readonly type: T }>) => void
}

/** A call's worker, for as long as the call lasts. */
export class WorkerLink {
  private readonly worker: Worker

  /** @param onBroken it could not be loaded, or broke; for logs */
  constructor(handlers: WorkerHandlers, onBroken: (detail: string) => void) {
    this.worker = takeWorker()
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      // The compiler does not see that the handler is the one for this very type.
      const handle = handlers[data.type] as (message: FromWorker) => void
      handle(data)
    }
    this.worker.onerror = (event) => onBroken(event.message)
  }

  tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer)
  }

  close(): void {
    this.worker.terminate()
  }
}
