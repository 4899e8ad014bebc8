import { JwksError, TokenCommandError } from './admission/index.ts'
import { CertificateError } from './certificate/index.ts'
import { ConfigError } from './config.ts'
import { StorageError } from './delivery/index.ts'
import { EngineError } from './engine/index.ts'
import { ListenError } from './operate/http.ts'
import { WorkerError } from './workers/worker-pool.ts'

/** What went wrong and is the operator's to mend: one line. Anything else is a bug, with its trace. */
export function explain(error: unknown): string {
  const known =
    error instanceof ConfigError ||
    error instanceof CertificateError ||
    error instanceof JwksError ||
    error instanceof TokenCommandError ||
    error instanceof EngineError ||
    error instanceof StorageError ||
    error instanceof ListenError ||
    error instanceof WorkerError
  if (known) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
