import type { Clock, Session, Subscription } from '../../../moq/session/index.ts'
import { DoneCode, RequestCode } from '../../../moq/wire/codes.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import type { CallSubscriptionHandler } from './call-session.ts'
import type { LinePart } from './line-part.ts'

/** Within this the session has ended where its requests have, ms. */
const CUT_MS = 300

/** A track of the relay's, or of a service beside it: asked for anew on each session. */
export class RenewedSubscription implements LinePart {
  readonly moving = false
  private readonly clock: Clock
  private readonly track: FullTrackName
  private readonly handler: CallSubscriptionHandler
  private readonly onOver: () => void
  private readonly parameters: Parameters
  private subscription: Subscription | null = null
  private over = false
  private cancelEnd: () => void = () => {}

  constructor(
    clock: Clock,
    track: FullTrackName,
    parameters: Parameters,
    handler: CallSubscriptionHandler,
    onOver: () => void,
  ) {
    this.clock = clock
    this.track = track
    this.parameters = parameters
    this.handler = handler
    this.onOver = onOver
  }

  get established(): boolean {
    return this.subscription?.established ?? false
  }

  goTo(session: Session): void {
    if (this.over || session.closed) return
    this.cancelEnd()
    const former = this.subscription
    // What still comes of the former one would be mistaken for the new one's.
    former?.unsubscribe()
    if (former) this.handler.onRenewed?.()
    const { handler } = this
    this.subscription = session.subscribe(this.track, this.parameters, {
      onAccepted: (accepted) => handler.onAccepted?.(accepted),
      onObject: (object) => handler.onObject(object),
      onRejected: (error) => {
        const isCut = error.code === RequestCode.INTERNAL_ERROR
        this.ended(session, isCut, () => handler.onRejected?.(error))
      },
      onDone: (done) => {
        const isCut = done.status === DoneCode.INTERNAL_ERROR
        this.ended(session, isCut, () => handler.onDone?.(done))
      },
    })
  }

  /** @param isCut it may be the end of the session, of which requests can hear first */
  private ended(session: Session, isCut: boolean, tell: () => void): void {
    if (session.closed) return
    this.cancelEnd = this.clock.after(isCut ? CUT_MS : 0, () => {
      if (session.closed) return
      this.close()
      tell()
    })
  }

  update(parameters: Parameters): void {
    this.subscription?.update(parameters)
  }

  unsubscribe(): void {
    if (this.over) return
    this.close()
    this.subscription?.unsubscribe()
  }

  private close(): void {
    this.over = true
    this.cancelEnd()
    this.onOver()
  }
}
