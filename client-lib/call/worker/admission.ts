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

/** What we enter the group with. */
export interface Entry {
  readonly authenticate: Authenticate | undefined
}

/** How long the application may take to give a token that a new connection needs, ms. */
const TOKEN_MS = 3000

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
  private session: Session | null = null
  /** The relay said that the newest token is over. */
  private expired = false
  private onOffer: () => void = () => {}

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

  /** What takes a moment and must be there before the group is; or why there can be none. */
  async prepare(): Promise<Entry | CallError> {
    const { fault } = this.credentials
    if (fault) return fault
    try {
      return { authenticate: await this.tokenProof() }
    } catch (error) {
      return keysUnusable(error)
    }
  }

  /** The options of the SETUP of a new session; where the newest token is over, with another one. */
  async setup(): Promise<Property[]> {
    const { expires } = this.credentials
    const isOver = this.expired || (expires !== null && expires <= Date.now())
    if (isOver && this.options.renewsToken) await this.askForToken()
    return this.credentials.setup()
  }

  /**
   * The relay does not take the newest token because it is over.
   * @returns whether there may be another one
   */
  expire(): boolean {
    this.expired = true
    return this.options.renewsToken
  }

  /** Brings a new token over the session before the one in use ends; a later session takes its place. */
  keep(session: Session): void {
    this.session = session
    if (this.renewal) return
    const { token, renewsToken } = this.options
    if (token === null || !renewsToken) return
    this.renewal = new TokenRenewal(token.expires, {
      clock: this.clock,
      wallClock: Date.now,
      random: Math.random,
      ask: () => this.events.onTokenWanted(),
      send: (next, onAnswer) => {
        const onTaken = (text: string) => this.events.onTaken(text)
        if (!this.session) return
        this.credentials.bring(this.session, next, onAnswer, onTaken).catch(this.events.onBug)
      },
      onRefused: ({ code, reason }) => {
        const error = tokenErrorOfRequest(code, reason, true)
        if (error) this.events.onRefused(error)
      },
    })
  }

  /** The application's next token; null: it has none now. */
  offer(token: ReadToken | null): void {
    if (token !== null && this.credentials.use(token)) this.expired = false
    this.onOffer()
    if (token === null) this.renewal?.failed()
    else this.renewal?.offer(token)
  }

  close(): void {
    this.renewal?.close()
    this.onOffer()
  }

  private askForToken(): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = this.clock.after(TOKEN_MS, resolve)
      this.onOffer = () => {
        stopTimer()
        this.onOffer = () => {}
        resolve()
      }
      this.events.onTokenWanted()
    })
  }

  /** Loaded where it is wanted: most calls do without. */
  private async tokenProof(): Promise<Authenticate | undefined> {
    const { issuerKeys: keys, room } = this.options
    if (keys === undefined) return undefined
    const { tokenProof } = await import('../../keys/token-proof.ts')
    return tokenProof({ room, keys, wallClock: Date.now })
  }
}
