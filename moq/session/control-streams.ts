import type { SendStream, TransportSession } from '../transport/transport.ts'
import type { Codec } from '../wire/codec.ts'
import { ResetCode, SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, Goaway, Setup } from '../wire/messages.ts'
import type { Clock } from './clock.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import { MessageParser } from './message-parser.ts'
import { checkSetup } from './setup-rules.ts'

/** What the control streams of a session tell it. */
export interface ControlHost {
  readonly transport: TransportSession
  readonly role: 'client' | 'server'
  readonly clock: Clock
  readonly limits: SessionLimits
  /** The peer's SETUP came, and breaks no rule. */
  onSetup(setup: Setup): void
  onGoaway(goaway: Goaway): void
  limitHit(limit: SessionLimitName): void
  close(code: number, reason: string): void
}

const SEND_ORDER = 0
/** A session whose streams were reset because it ends does so within this, ms. */
const END_MS = 1000
const ENDED = 'the control stream was closed'

/**
 * The control streams of a session, one each way (draft-18 section 3.3): SETUP in the beginning of each,
 * then at most GOAWAY.
 */
export class ControlStreams {
  private readonly host: ControlHost
  private readonly codec: Codec
  /** What waits for stream credit, SETUP first. */
  private unsent: ControlMessage[]
  private ours: SendStream | null = null
  private theirs: 'none' | 'open' | 'ready' = 'none'
  private readonly stopTimer: () => void
  private stopEndTimer: () => void = () => {}

  /** @param setup opens our stream, now or when there is stream credit */
  constructor(host: ControlHost, codec: Codec, setup: Setup) {
    this.host = host
    this.codec = codec
    this.unsent = [setup]
    this.stopTimer = host.clock.after(host.limits.setupMs, () => {
      if (this.ready) return
      host.limitHit('setupMs')
      host.close(SessionCode.CONTROL_MESSAGE_TIMEOUT, 'no SETUP came in time')
    })
    this.onStreamCredit()
  }

  /** The peer's SETUP came. */
  get ready(): boolean {
    return this.theirs === 'ready'
  }

  onStreamCredit(): void {
    this.ours ??= this.host.transport.openUni(SEND_ORDER)
    if (!this.ours || this.unsent.length === 0) return
    const messages = this.unsent
    this.unsent = []
    for (const message of messages) this.send(message)
  }

  send(message: ControlMessage): void {
    if (this.ours) this.ours.write(this.codec.encode(message))
    else this.unsent.push(message)
  }

  /**
   * The peer's stream came; its messages go to the parser that is returned.
   * @throws ProtocolError for a second one
   */
  receive(): MessageParser {
    if (this.theirs !== 'none') throw new ProtocolError('second control stream')
    this.theirs = 'open'
    return new MessageParser((type, payload) =>
      this.onMessage(this.codec.decode(type, payload, 'control')),
    )
  }

  /**
   * The peer's stream came to its end.
   * @param code what it was reset with: at SESSION_CLOSED the end of the session follows, and says why
   * @throws ProtocolError for any other, and without one
   */
  ended(code: number | null): void {
    if (code !== ResetCode.SESSION_CLOSED) throw new ProtocolError(ENDED)
    this.stopEndTimer = this.host.clock.after(END_MS, () => {
      this.host.close(SessionCode.PROTOCOL_VIOLATION, ENDED)
    })
  }

  /** The session is over. */
  stop(): void {
    this.stopTimer()
    this.stopEndTimer()
  }

  private onMessage(message: ControlMessage): void {
    if (this.theirs === 'open') {
      if (message.type !== 'SETUP') throw new ProtocolError(`${message.type} before SETUP`)
      checkSetup(message, this.host.role, this.host.transport.kind, this.codec.rules)
      this.theirs = 'ready'
      this.stopTimer()
      this.host.onSetup(message)
      return
    }
    if (message.type !== 'GOAWAY') throw new ProtocolError(`${message.type} on the control stream`)
    this.host.onGoaway(message)
  }
}
