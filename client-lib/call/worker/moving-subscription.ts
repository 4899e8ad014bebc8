import {
  type Clock,
  MigratingSubscription,
  type Session,
  type SubscriptionEnd,
} from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import type { CallSubscriptionHandler } from './call-session.ts'
import type { LinePart } from './line-part.ts'

/** How long the relay may wait for a publisher that was there to be there again, ms. */
const RENDEZVOUS_MS = 10_000
/** Between tries on a relay that has no time for it now, and how many there are. */
const RETRY_MS = 500
const MOST_RETRIES = 20
/** Refusals that may be over in a moment. */
const PASSING: ReadonlySet<number> = new Set([
  RequestCode.EXCESSIVE_LOAD,
  RequestCode.GOING_AWAY,
  RequestCode.INTERNAL_ERROR,
])

/**
 * A track of a participant's over whatever sessions there are. It goes on where the participant comes
 * back after it was gone, too: that may be in a moment.
 */
export class MovingSubscription implements LinePart {
  private readonly clock: Clock
  private readonly track: FullTrackName
  private readonly handler: CallSubscriptionHandler
  private readonly fillGroups: number | null
  private readonly onOver: () => void
  private parameters: Parameters
  private session: Session | null = null
  private migration: MigratingSubscription | null = null
  private accepted = false
  private over = false
  private retries = 0
  private cancelRetry: () => void = () => {}

  constructor(
    clock: Clock,
    track: FullTrackName,
    parameters: Parameters,
    handler: CallSubscriptionHandler,
    fillGroups: number | null,
    onOver: () => void,
  ) {
    this.clock = clock
    this.track = track
    this.parameters = parameters
    this.handler = handler
    this.fillGroups = fillGroups
    this.onOver = onOver
  }

  get established(): boolean {
    return this.accepted && !this.over
  }

  get moving(): boolean {
    return this.migration?.moving ?? false
  }

  goTo(session: Session): void {
    this.session = session
    this.retries = 0
    this.move()
  }

  update(parameters: Parameters): void {
    if (this.over) return
    if (this.migration) this.migration.update(parameters)
    else this.parameters = { ...this.parameters, ...parameters }
  }

  unsubscribe(): void {
    if (this.over) return
    this.close()
    this.migration?.unsubscribe()
  }

  private move(): void {
    this.cancelRetry()
    const { session, clock } = this
    if (this.over || !session || session.closed) return
    if (this.migration) {
      this.migration.moveTo(session, { rendezvousTimeout: RENDEZVOUS_MS })
      return
    }
    const { handler } = this
    this.migration = new MigratingSubscription(
      session,
      this.track,
      this.parameters,
      {
        onAccepted: (accepted) => {
          this.accepted = true
          handler.onAccepted?.(accepted)
        },
        onObject: (object) => handler.onObject(object),
        onMoved: () => {
          this.retries = 0
        },
        onMoveFailed: (error) => this.onMoveFailed(error),
        onInterrupted: (done) => this.onInterrupted(done),
        onRejected: (error) => {
          this.close()
          handler.onRejected?.(error)
        },
        onDone: (done) => {
          this.close()
          handler.onDone?.(done)
        },
      },
      { clock, fillGroups: this.fillGroups },
    )
  }

  /** The session ended, and another one will come; or its publisher is gone, and may come back. */
  private onInterrupted(done: SubscriptionEnd): void {
    if (this.session?.closed !== false) return
    // Before anything came of it there is nothing to go on with.
    if (this.accepted) this.move()
    else this.end(done)
  }

  private onMoveFailed({ code, reason }: RequestError): void {
    if (this.session?.closed !== false) return
    const stays = this.migration?.stranded === false
    if ((stays || PASSING.has(code)) && this.retries < MOST_RETRIES) {
      this.retries++
      this.cancelRetry = this.clock.after(RETRY_MS, () => this.move())
    } else if (!stays) this.end({ status: code, reason })
  }

  private end(done: SubscriptionEnd): void {
    this.unsubscribe()
    this.handler.onDone?.(done)
  }

  private close(): void {
    this.over = true
    this.cancelRetry()
    this.onOver()
  }
}
