import { dropSeat, keepSeat, seatOf } from './seat-memory.ts'
import { askForToken, type ReadToken, readToken } from './token.ts'
import { rememberedTransport } from './transport-memory.ts'
import type { CallError, JoinOptions, TokenRequest } from './types.ts'
import type { FromWorker, ToWorker } from './worker-protocol.ts'

export interface EntranceEvents {
  /** For the worker. */
  tell(message: ToWorker): void
  /** There is no way into the call. */
  onFailed(error: CallError): void
  /** The call goes on. */
  onError(error: CallError): void
}

type Seated = Extract<FromWorker, { type: 'seated' }>
type TokenSource = Exclude<JoinOptions['token'], string | undefined>

/**
 * How a call gets in and stays in: first our place, from before a reload or a new one; then a token, which
 * may be bound to that place's key; then the join; and later tokens and certificate hashes.
 */
export class Entrance {
  private readonly options: JoinOptions
  private readonly events: EntranceEvents
  /** The token that was given as it is; a function is asked once the key is there. */
  private readonly given: ReadToken | null
  private request: TokenRequest = { thumbprint: '', participant: null }
  private participantId = ''
  private toldOfNoToken = false
  private closed = false

  /** @throws CallOptionsError when the given token cannot be read */
  constructor(options: JoinOptions, events: EntranceEvents) {
    this.options = options
    this.events = events
    this.given = typeof options.token === 'string' ? readToken(options.token) : null
  }

  /** Our participant id; empty before we have one, and so before we have joined. */
  get self(): string {
    return this.participantId
  }

  begin(): void {
    this.askForSeat(seatOf(this.options.room))
    // Unless a token has to be asked for, the worker needs to hear no more to begin.
    if (this.canJoinAtOnce) this.join(this.given, null)
  }

  /** The worker has our place. */
  onSeated({ seat, thumbprint, participant }: Seated): void {
    if (this.closed) return
    const { room, token: source } = this.options
    keepSeat(room, seat)
    this.request = { thumbprint: thumbprint ?? '', participant }
    if (typeof source === 'function') void this.joinWithFirstToken(source, seat)
    else if (this.canJoinAtOnce) this.participantId = this.given?.participant ?? seat
    else this.join(this.given, seat)
  }

  /** The worker wants the next token. */
  async renewToken(): Promise<void> {
    const { token: source } = this.options
    if (typeof source !== 'function') return
    const answer = await askForToken(source, this.request, NO_NEW_TOKEN)
    if (this.closed) return
    const none = 'code' in answer
    // It is asked for again every few seconds: once is enough to say.
    if (none && !this.toldOfNoToken) this.events.onError(answer)
    this.toldOfNoToken = none
    this.events.tell({ type: 'token', token: none ? null : answer })
  }

  /** The worker wants the relay's newest certificate hashes. */
  async renewHashes(): Promise<void> {
    const hashes = await this.options.renewCertificateHashes?.().catch(() => null)
    if (!this.closed) this.events.tell({ type: 'hashes', hashes: hashes ?? null })
  }

  /** We leave, or the page goes: nothing more is asked or told. */
  close(): void {
    this.closed = true
  }

  /** Coming back is for who did not leave. */
  forget(): void {
    dropSeat(this.options.room)
  }

  /** There is no token to ask for, and none that is refused: of that is told once there are listeners. */
  private get canJoinAtOnce(): boolean {
    const { token, issuerKeys } = this.options
    const isUnbound = this.given !== null && this.given.thumbprint === null
    return typeof token !== 'function' && !(issuerKeys !== undefined && isUnbound)
  }

  private askForSeat(seat: string | null): void {
    const { room, suite = 'x-wing', token } = this.options
    const isBound = this.given !== null && this.given.thumbprint !== null
    const wantsKeys = typeof token === 'function' || isBound
    this.events.tell({ type: 'seat', wish: { room, seat, suite, wantsKeys } })
  }

  /** @param seat null while it is not known */
  private join(token: ReadToken | null, seat: string | null): void {
    const { media: _, token: source, renewCertificateHashes, ...rest } = this.options
    if (rest.issuerKeys !== undefined && token !== null && token.thumbprint === null) {
      this.events.onFailed({ code: 'token-refused', message: UNBOUND_TOKEN })
      return
    }
    const participantId = token?.participant ?? seat
    this.participantId = participantId ?? ''
    const own = { participantId, token, renewsToken: typeof source === 'function' }
    const renewsHashes = renewCertificateHashes !== undefined
    const usualTransport = rememberedTransport(rest.url, Date.now())
    const options = { ...rest, ...own, renewsHashes, usualTransport }
    this.events.tell({ type: 'join', options })
  }

  private async joinWithFirstToken(source: TokenSource, seat: string): Promise<void> {
    const answer = await askForToken(source, this.request, NO_TOKEN)
    if (this.closed) return
    if ('code' in answer) {
      this.events.onFailed(answer)
      return
    }
    const { participant } = this.request
    // Our former self may be in the group still, and two leaves cannot have one key.
    const isAnother = participant !== null && participant !== answer.participant
    if (isAnother && answer.thumbprint !== null) this.askForSeat(null)
    else this.join(answer, seat)
  }
}

const NO_TOKEN = 'There is no token to join with. Reload the page, then try again.'
const UNBOUND_TOKEN =
  'The token is bound to no key, and this call is for members who prove theirs. Ask for another token.'
const NO_NEW_TOKEN = 'There is no new token yet. Without one the call ends with the last one.'
