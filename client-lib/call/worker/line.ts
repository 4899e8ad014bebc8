import type { Clock, FetchHandler, Session } from '../../../moq/session/index.ts'
import { ResetCode } from '../../../moq/wire/codes.ts'
import type { FetchRange } from '../../../moq/wire/messages.ts'
import { type FullTrackName, formatTrack } from '../../../moq/wire/names.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import {
  type CallSession,
  type CallSubscription,
  type CallSubscriptionHandler,
  type Continuation,
  OF_PUBLISHER,
} from './call-session.ts'
import type { LinePart } from './line-part.ts'
import { MovingSubscription } from './moving-subscription.ts'
import { RenewedSubscription } from './renewed-subscription.ts'
import { shelteredFetch, shelteredSubscription } from './sheltered.ts'

/**
 * The call's line to the relay: one session after the other, and for a moment two. What is subscribed to
 * over it stays subscribed to, and what is asked while there is no session is asked on the next.
 */
export class Line implements CallSession {
  private readonly clock: Clock
  private readonly onFault: (what: string, error: unknown) => void
  private readonly parts = new Set<LinePart>()
  private session: Session | null = null
  private over = false

  /** @param onFault a handler threw: told with the name of the track, and stops nothing else */
  constructor(clock: Clock, onFault: (what: string, error: unknown) => void) {
    this.clock = clock
    this.onFault = onFault
  }

  /** Ended for good. */
  get closed(): boolean {
    return this.over
  }

  /** Subscriptions that the former session still serves. */
  get moving(): boolean {
    for (const part of this.parts) if (part.moving) return true
    return false
  }

  /** Everything goes on over this session. */
  goTo(session: Session): void {
    if (this.over) return
    this.session = session
    for (const part of [...this.parts]) part.goTo(session)
  }

  subscribe(
    track: FullTrackName,
    parameters: Parameters,
    handler: CallSubscriptionHandler,
    { source, fillGroups = null }: Continuation = OF_PUBLISHER,
  ): CallSubscription {
    const onOver = () => this.parts.delete(part)
    const name = formatTrack(track)
    const guarded = shelteredSubscription(handler, (error) => this.onFault(name, error))
    const part: LinePart =
      source === 'relay'
        ? new RenewedSubscription(this.clock, track, parameters, guarded, onOver)
        : new MovingSubscription(this.clock, track, parameters, guarded, fillGroups, onOver)
    this.parts.add(part)
    if (this.session && !this.session.closed) part.goTo(this.session)
    return part
  }

  fetch(range: FetchRange, handler: FetchHandler, parameters?: Parameters): { cancel(): void } {
    const { session } = this
    if (session && !session.closed) {
      const name = range.kind === 'standalone' ? formatTrack(range.track) : 'a fetch'
      const guarded = shelteredFetch(handler, (error) => this.onFault(name, error))
      return session.fetch(range, guarded, parameters)
    }
    let cancelled = false
    queueMicrotask(() => {
      if (!cancelled) handler.onReset?.(ResetCode.SESSION_CLOSED)
    })
    return {
      cancel() {
        cancelled = true
      },
    }
  }

  close(): void {
    this.over = true
    this.session = null
    for (const part of [...this.parts]) part.unsubscribe()
  }
}
