import { STREAM_SESSION_CLOSED } from './codes.ts'
import type { FailsNativeStream, FailsReadBuffer } from './fails-types.ts'
import type {
  BidiStream,
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
} from './transport.ts'

const NO_BYTES = new Uint8Array(0)

/**
 * Largest piece handed to the package at once, bytes: it copies what is left of a piece each time
 * that flow control splits it.
 */
const PIECE = 32_768

/** What a stream needs of its session, and what the package looks up there. */
export interface FailsStreamOwner {
  readonly state: string
  readonly objint: unknown
  readonly over: boolean
  /** Makes a callback of the owner's: now, or later if the owner is just calling us. */
  tell(callback: () => void): void
  /** Runs a call into the package for the session's owner. */
  call(action: () => void): void
  announce(stream: FailsStream): void
  outstandingChanged(bytes: number): void
  /** Both directions have ended, here and at the peer. */
  forget(stream: FailsStream): void
}

/** One stream, and the object that the package calls for it. */
export class FailsStream implements BidiStream {
  readonly parentobj: FailsStreamOwner
  readonly native: FailsNativeStream
  readonly send: FailsSendStream
  readonly receive: FailsReceiveStream
  readonly bidirectional: boolean
  /** The peer learns of a stream with the first thing that it carries; so do we. */
  announced: boolean

  constructor(
    owner: FailsStreamOwner,
    native: FailsNativeStream,
    kind: { bidirectional: boolean; incoming: boolean },
  ) {
    this.parentobj = owner
    this.native = native
    this.bidirectional = kind.bidirectional
    this.announced = !kind.incoming
    this.send = new FailsSendStream(this, kind.bidirectional || !kind.incoming)
    this.receive = new FailsReceiveStream(this, kind.bidirectional || kind.incoming)
    native.jsobj = this
    countClosingOnce(native)
    if (!this.receive.usable) return
    native.sendInitialParameters?.()
    native.startReading()
  }

  /** Called by the package. */
  getReadBuffer({ byteSize }: { byteSize: number }) {
    return { buffer: new Uint8Array(byteSize), byob: undefined, readBytes: 0, fin: false }
  }

  /** Called by the package. */
  commitReadBuffer({ buffer, readBytes, fin }: FailsReadBuffer): { stopReading?: boolean } {
    const bytes = buffer === undefined ? NO_BYTES : buffer.subarray(0, readBytes ?? buffer.length)
    return { stopReading: this.receive.took(bytes, fin) }
  }

  /** Called by the package. */
  onStreamRecvSignal({ nettask, code }: { nettask: string; code: number }): void {
    if (nettask === 'resetStream') this.receive.wasReset(code)
    else if (nettask === 'stopSending') this.send.wasStopped(code)
  }

  /** Called by the package: one piece has gone. */
  onStreamWrite(): void {
    this.send.pieceTaken()
  }

  /** Called by the package. */
  onStreamNetworkFinish({ nettask }: { nettask: string }): void {
    if (nettask === 'streamFinal') this.send.wasFinished()
  }

  announce(): void {
    if (this.announced) return
    this.announced = true
    this.parentobj.announce(this)
  }

  directionEnded(): void {
    if (this.send.gone && this.receive.gone) this.parentobj.forget(this)
  }

  endWithSession(): void {
    this.send.endWithSession()
    this.receive.endWithSession()
  }
}

export class FailsSendStream implements SendStream {
  handler: SendStreamHandler | null = null
  buffered = 0
  readonly #stream: FailsStream
  #pieces: number[] = []
  #state: 'open' | 'finished' | 'ended'
  /** Nothing more goes out, and the peer has been told how it ended. */
  gone: boolean

  constructor(stream: FailsStream, usable: boolean) {
    this.#stream = stream
    this.#state = usable ? 'open' : 'ended'
    this.gone = !usable
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open' || bytes.length === 0) return
    this.buffered += bytes.length
    const { native, parentobj } = this.#stream
    parentobj.outstandingChanged(bytes.length)
    parentobj.call(() => {
      for (let at = 0; at < bytes.length; at += PIECE) {
        const piece = bytes.subarray(at, at + PIECE)
        this.#pieces.push(piece.length)
        native.writeChunk(piece)
      }
    })
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finished'
    const { native, parentobj } = this.#stream
    parentobj.call(() => native.streamFinal())
  }

  reset(code: number): void {
    if (this.#state === 'open') this.#reset(code)
  }

  setOrder(order: number): void {
    if (this.#state !== 'open') return
    const { native, parentobj } = this.#stream
    parentobj.call(() =>
      native.updateSendOrderAndGroup({ sendOrder: 255 - order, sendGroupId: 0n }),
    )
  }

  pieceTaken(): void {
    if (this.#state === 'ended') return
    const size = this.#pieces.shift()
    if (size === undefined) {
      // Over WebSocket, and only there, the end of the stream is told like a piece.
      if (this.#state === 'finished') this.wasFinished()
      return
    }
    this.buffered -= size
    this.#stream.parentobj.outstandingChanged(-size)
  }

  wasFinished(): void {
    if (this.gone) return
    // The package counts the end of this direction only when it was reset or stopped.
    this.#stream.native.closeOutgoing?.()
    this.#end()
  }

  wasStopped(code: number): void {
    if (this.#state === 'ended') return
    const told = this.#state === 'open'
    this.#stream.announce()
    // Over QUIC the package answers a stop by itself; over WebSocket the peer would never learn that
    // nothing more comes (RFC 9000, section 3.5).
    if (this.#stream.native.closeOutgoing !== undefined) this.#reset(code)
    else this.#end()
    if (told) this.#stream.parentobj.tell(() => this.handler?.onStopped(code))
  }

  endWithSession(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#release()
  }

  #reset(code: number): void {
    const { native, parentobj } = this.#stream
    // The package would still send these after the reset.
    if (native.outgochunks !== undefined) native.outgochunks.length = 0
    parentobj.call(() => native.resetStream(code))
    this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.gone = true
    this.#release()
    this.#stream.directionEnded()
  }

  #release(): void {
    this.#stream.parentobj.outstandingChanged(-this.buffered)
    this.buffered = 0
    this.#pieces = []
  }
}

export class FailsReceiveStream implements ReceiveStream {
  handler: ReceiveStreamHandler | null = null
  readonly usable: boolean
  readonly #stream: FailsStream
  #paused = false
  #flushing = false
  #held: { bytes: Uint8Array; fin: boolean }[] = []
  #heldReset: number | null = null
  /** No callback follows. */
  #ended: boolean
  /** The peer has said its last word on this direction. */
  gone: boolean

  constructor(stream: FailsStream, usable: boolean) {
    this.#stream = stream
    this.usable = usable
    this.#ended = !usable
    this.gone = !usable
  }

  pause(): void {
    if (this.#ended) return
    this.#paused = true
    this.#stream.native.stopReading()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#flushing || this.#ended) return
    this.#flushing = true
    queueMicrotask(this.#flush)
  }

  stop(code: number): void {
    if (this.#ended) return
    this.#end()
    const { native, parentobj } = this.#stream
    parentobj.call(() => {
      native.stopSending(code)
      // What still comes is thrown away; unread, it would use up the session's window for good.
      native.drainReads()
    })
  }

  /** Takes what the package has read; answers whether it should read no more. */
  took(bytes: Uint8Array, fin: boolean): boolean {
    if (fin) this.gone = true
    if (this.#ended) {
      if (fin) this.#stream.directionEnded()
      return false
    }
    if (bytes.length === 0 && !fin) return false
    this.#stream.announce()
    if (this.#paused || this.#held.length > 0) this.#held.push({ bytes, fin })
    else this.#deliver(bytes, fin)
    return this.#paused
  }

  wasReset(code: number): void {
    if (this.gone) return
    this.gone = true
    if (this.#ended) {
      this.#stream.directionEnded()
      return
    }
    this.#stream.announce()
    this.#held = []
    this.#heldReset = code
    this.#stream.parentobj.call(() => this.#stream.native.drainReads())
    if (!this.#paused) this.#deliverReset()
  }

  endWithSession(): void {
    if (this.#ended) return
    this.#end()
    if (this.#stream.announced) this.#tellReset(STREAM_SESSION_CLOSED)
  }

  readonly #flush = () => {
    this.#flushing = false
    while (!this.#paused && !this.#ended) {
      const next = this.#held.shift()
      if (next === undefined) break
      this.#deliver(next.bytes, next.fin)
    }
    if (this.#paused || this.#ended) return
    if (this.#heldReset !== null) this.#deliverReset()
    else this.#stream.native.startReading()
  }

  #deliver(bytes: Uint8Array, fin: boolean): void {
    if (fin) this.#end()
    this.#stream.parentobj.tell(() => this.handler?.onBytes(bytes, fin))
  }

  #deliverReset(): void {
    const code = this.#heldReset ?? 0
    this.#end()
    this.#tellReset(code)
  }

  #tellReset(code: number): void {
    this.#stream.parentobj.tell(() => this.handler?.onReset(code))
  }

  #end(): void {
    this.#ended = true
    this.#held = []
    if (this.gone) this.#stream.directionEnded()
  }
}

/** The package returns stream credit each time that it hears of a stream's end; once is right. */
function countClosingOnce(native: FailsNativeStream): void {
  const { streamIdManager, streamid } = native
  if (streamIdManager === undefined || streamid === undefined) return
  let counted = false
  native.onClose = () => {
    if (counted) return
    counted = true
    streamIdManager.onStreamClosed(streamid)
  }
}
