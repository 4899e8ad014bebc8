/** A submission between its coming and the answer to it. */

import type { LogRecord } from './log.ts'
import type { RefusalReason } from './refusal.ts'

/** A submission that waits to be worked on. */
export interface Waiting {
  readonly participant: string
  readonly bytes: Uint8Array
  /** When it came, whole ms since 1970. */
  readonly at: number
  readonly tell: (result: SubmitResult) => void
}

export type SubmitResult =
  | {
      readonly accepted: true
      /** To publish on `log`, in order; none for what came before or takes more reports to matter. */
      readonly records: readonly LogRecord[]
      /** To publish on `group-info` when it is asked for; empty when this ended the group. */
      readonly snapshot: Uint8Array
      readonly ended: boolean
    }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly detail: string }
