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

export interface AdmissionOptions {
  readonly call: WorkerOptions
  readonly seat: Pick<Seat, 'keys' | 'thumbprint'>
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  /** 0..1 */
  readonly random: () => number
}

/** How we come into the relay and the group, and stay in. */
export class Admission {
  private readonly options: AdmissionOptions
  private readonly events: AdmissionEvents
  private readonly credentials: Credentials
  private renewal: TokenRenewal | null = null
  private session: Session | null = null
  /** The relay said that the newest token is over. */
  private expired = false
  private onOffer: () => void = () => {}

  constructor(options: AdmissionOptions, events: AdmissionEvents) {
    const { call, seat, wallClock } = options
    this.options = options
    this.events = events
    this.credentials = new Credentials({ seat, token: call.token, room: call.room, wallClock })
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
    const { call, wallClock } = this.options
    const isOver = this.expired || (expires !== null && expires <= wallClock())
    if (isOver && call.renewsToken) await this.askForToken()
    return this.credentials.setup()
  }

  /**
   * The relay does not take the newest token because it is over.
   * @returns whether there may be another one
   */
  expire(): boolean {
    this.expired = true
    return this.options.call.renewsToken
  }

  /** Brings a new token over the session before the one in use ends; a later session takes its place. */
  keep(session: Session): void {
    this.session = session
    if (this.renewal) return
    const { call, clock, wallClock, random } = this.options
    const { expires } = this.credentials
    if (expires === null || !call.renewsToken) return
    this.renewal = new TokenRenewal(expires, {
      clock,
      wallClock,
      random,
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
      const stopTimer = this.options.clock.after(TOKEN_MS, resolve)
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
    const { call, wallClock } = this.options
    const { issuerKeys: keys, room } = call
    if (keys === undefined) return undefined
    const { tokenProof } = await import('../../keys/token-proof.ts')
    return tokenProof({ room, keys, wallClock })
  }
}
