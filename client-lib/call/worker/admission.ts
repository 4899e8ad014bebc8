import type { Clock, Session } from '../../../moq/session/index.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import type { Authenticate, Seat } from '../../keys/index.ts'
import type { ReadToken } from '../token.ts'
import type { CallError } from '../types.ts'
import type { WorkerOptions } from '../worker-protocol.ts'
import { keysUnusable } from './call-errors.ts'
import { Credentials, type GroupIdentity } from './credentials.ts'
import { tokenErrorOfRequest } from './token-errors.ts'
import { TokenRenewal } from './token-renewal.ts'

/** What we enter the relay and the group with. */
export interface Entry {
  readonly setup: Property[]
  readonly authenticate: Authenticate | undefined
}

export interface AdmissionEvents {
  /** The token in use ends soon; the answer is `offer`. */
  onTokenWanted(): void
  /** The relay has the next token, and the group is to know us by it, too. */
  onTaken(token: string): void
  /** The relay refused the next token; the one in use stays. */
  onRefused(error: CallError): void
  onBug(error: unknown): void
}

/** How we come into the relay and the group, and stay in. */
export class Admission {
  private readonly options: WorkerOptions
  private readonly clock: Clock
  private readonly events: AdmissionEvents
  private readonly credentials: Credentials
  private renewal: TokenRenewal | null = null

  constructor(options: WorkerOptions, seat: Seat, clock: Clock, events: AdmissionEvents) {
    const { token, room } = options
    this.options = options
    this.clock = clock
    this.events = events
    this.credentials = new Credentials({ seat, token, room, wallClock: Date.now })
  }

  /** What the group knows us by. */
  get identity(): GroupIdentity {
    return this.credentials.identity
  }

  /** What takes a moment and must be there before the session is; or why there can be none. */
  async prepare(): Promise<Entry | CallError> {
    const { fault } = this.credentials
    if (fault) return fault
    try {
      return { setup: await this.credentials.setup(), authenticate: await this.tokenProof() }
    } catch (error) {
      return keysUnusable(error)
    }
  }

  /** Brings a new token over the session before the one in use ends. */
  keep(session: Session): void {
    const { token, renewsToken } = this.options
    if (token === null || !renewsToken) return
    this.renewal = new TokenRenewal(token.expires, {
      clock: this.clock,
      wallClock: Date.now,
      random: Math.random,
      ask: () => this.events.onTokenWanted(),
      send: (next, onAnswer) => {
        const onTaken = (text: string) => this.events.onTaken(text)
        this.credentials.bring(session, next, onAnswer, onTaken).catch(this.events.onBug)
      },
      onRefused: ({ code, reason }) => {
        const error = tokenErrorOfRequest(code, reason, true)
        if (error) this.events.onRefused(error)
      },
    })
  }

  /** The application's next token; null: it has none now. */
  offer(token: ReadToken | null): void {
    if (token === null) this.renewal?.failed()
    else this.renewal?.offer(token)
  }

  close(): void {
    this.renewal?.close()
  }

  /** Loaded where it is wanted: most calls do without. */
  private async tokenProof(): Promise<Authenticate | undefined> {
    const { issuerKeys: keys, room } = this.options
    if (keys === undefined) return undefined
    const { tokenProof } = await import('../../keys/token-proof.ts')
    return tokenProof({ room, keys, wallClock: Date.now })
  }
}
