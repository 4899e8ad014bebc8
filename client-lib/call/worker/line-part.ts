import type { Session } from '../../../moq/session/index.ts'
import type { CallSubscription } from './call-session.ts'

/** A subscription as the line has it. */
export interface LinePart extends CallSubscription {
  /** It is asked for on a new session, and still where it was. */
  readonly moving: boolean
  goTo(session: Session): void
}
