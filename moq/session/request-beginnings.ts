import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, MessageType, RequestMessage } from '../wire/messages.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import type { RequestStream } from './request-stream.ts'
import type { StreamWatch, Watched } from './stream-watch.ts'

/** What streams that begin ask of their session. */
export interface BeginningHost {
  readonly limits: SessionLimits
  /** The peer's SETUP came. */
  readonly ready: boolean
  readonly watch: StreamWatch
  limitHit(limit: SessionLimitName): void
  guard(task: () => void): void
}

/** Section 3.3: a bidirectional stream begins with one of these and nothing else. */
const FIRST: ReadonlySet<MessageType> = new Set<MessageType>([
  'TRACK_STATUS',
  'SUBSCRIBE',
  'PUBLISH',
  'FETCH',
  'PUBLISH_NAMESPACE',
  'SUBSCRIBE_NAMESPACE',
  'SUBSCRIBE_TRACKS',
])

/**
 * The peer's streams that have not said yet what they ask, or whose request waits to be decided. They
 * are bounded in number and in time.
 */
export class RequestBeginnings {
  private readonly host: BeginningHost
  private readonly begin: (message: RequestMessage, stream: RequestStream) => void
  private readonly streams = new Set<RequestStream>()
  /** Held with a first message that came before the peer's SETUP (section 3.3). */
  private early: RequestStream[] = []

  /** @param begin called with a stream's first message, once the session is ready; `delete` follows */
  constructor(
    host: BeginningHost,
    begin: (message: RequestMessage, stream: RequestStream) => void,
  ) {
    this.host = host
    this.begin = begin
  }

  get size(): number {
    return this.streams.size
  }

  accept(stream: RequestStream): void {
    if (this.streams.size >= this.host.limits.maxRequests) {
      this.host.limitHit('maxRequests')
      stream.cancel(ResetCode.EXCESSIVE_LOAD)
      return
    }
    this.streams.add(stream)
    const watched = new Unbegun(stream, this.host)
    stream.handler = {
      onMessage: (message) => {
        if (!isRequest(message)) {
          throw new ProtocolError(`a request stream begins with ${message.type}`)
        }
        this.host.watch.remove(watched)
        if (this.host.ready) this.begin(message, stream)
        else this.keepEarly(message, stream)
      },
      onEnd: () => {
        throw new ProtocolError('a request stream ends without a request')
      },
      onGoaway: () => {
        throw new ProtocolError('a request stream begins with GOAWAY')
      },
      // Cancelled before it said anything.
      onCancelled: () => {
        this.streams.delete(stream)
        this.host.watch.remove(watched)
      },
    }
  }

  /** The request was decided. */
  delete(stream: RequestStream): void {
    this.streams.delete(stream)
  }

  /** The peer's SETUP came. */
  ready(): void {
    const early = this.early
    this.early = []
    for (const stream of early) stream.release()
  }

  /** The session ended. */
  clear(): void {
    this.early = []
    this.streams.clear()
  }

  private keepEarly(message: RequestMessage, stream: RequestStream): void {
    if (this.early.length < this.host.limits.earlyStreams) {
      stream.hold(message)
      this.early.push(stream)
      return
    }
    this.streams.delete(stream)
    this.host.limitHit('earlyStreams')
    stream.cancel(ResetCode.EXCESSIVE_LOAD)
  }
}

/** A stream that has not said what it asks: it cannot keep what it has said of it for ever. */
class Unbegun implements Watched {
  idleTicks = 0
  private readonly stream: RequestStream
  private readonly host: BeginningHost

  constructor(stream: RequestStream, host: BeginningHost) {
    this.stream = stream
    this.host = host
    host.watch.add(this)
  }

  stalled(): void {
    this.host.limitHit('dataStreamMs')
    this.host.guard(() => this.stream.abandon(ResetCode.EXCESSIVE_LOAD))
  }
}

function isRequest(message: ControlMessage): message is RequestMessage {
  return FIRST.has(message.type)
}
