/**
 * Stands between a TCP client and the package's WebSocket parser, which trusts its input: it shifts
 * 64-bit lengths in 32 bits (a negative length makes it loop for ever), forgets the end of a message
 * that TCP has cut in two, and throws in the event loop on what it does not expect. The gate lets
 * through whole, single-frame, well-formed messages and nothing else.
 *
 * RFC 6455, section 5; capsules as in draft-richter-webtransport-websocket.
 */

import { readCapsuleHead } from './capsule-head.ts'

const CONTINUATION = 0x0
const BINARY = 0x2
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

/** Longest payload of a control frame (RFC 6455, section 5.5). */
const LONGEST_CONTROL = 125

export interface FrameGateOptions {
  /** Bytes; a longer message is a violation. */
  maxMessage: number
  /** A whole message in one masked frame, or a control frame. */
  onFrame(frame: Buffer): void
  /** A PONG, with its payload unmasked; it goes no further. */
  onPong(payload: Buffer): void
}

/** What a peer sent that no peer may send. */
export class FrameViolation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'FrameViolation'
  }
}

interface Frame {
  fin: boolean
  opcode: number
  /** Where the payload starts. */
  payload: number
  end: number
}

export class FrameGate {
  readonly #options: FrameGateOptions
  #parts: Buffer[] = []
  #have = 0
  /** Bytes without which nothing can be done. */
  #need = 2
  #fragments: Buffer[] = []
  #fragmentBytes = 0

  constructor(options: FrameGateOptions) {
    this.#options = options
  }

  /**
   * Takes bytes as they come from the socket.
   * @throws FrameViolation
   */
  push(data: Buffer): void {
    this.#parts.push(data)
    this.#have += data.length
    // Joined only once enough has come, so that small pieces do not cost a copy each.
    if (this.#have < this.#need) return
    const buffer = this.#parts.length === 1 ? data : Buffer.concat(this.#parts)
    let at = 0
    for (;;) {
      const frame = this.#frameAt(buffer, at)
      if (frame === null) break
      this.#take(buffer, at, frame)
      at = frame.end
    }
    const rest = buffer.subarray(at)
    this.#parts = rest.length > 0 ? [rest] : []
    this.#have = rest.length
  }

  /** The frame at an offset, or null, with `#need` set, where it is not all there. */
  #frameAt(buffer: Buffer, at: number): Frame | null {
    const available = buffer.length - at
    this.#need = 2
    if (available < 2) return null
    const first = buffer[at]!
    const second = buffer[at + 1]!
    const opcode = first & 0x0f
    const fin = (first & 0x80) !== 0
    if ((first & 0x70) !== 0) throw new FrameViolation('reserved bits are set')
    if ((second & 0x80) === 0) throw new FrameViolation('a frame is not masked')
    const short = second & 0x7f
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    this.#need = 2 + lengthBytes + 4
    if (available < this.#need) return null
    const length =
      lengthBytes === 0
        ? short
        : lengthBytes === 2
          ? buffer.readUInt16BE(at + 2)
          : buffer.readUInt32BE(at + 2) * 2 ** 32 + buffer.readUInt32BE(at + 6)
    this.#check(opcode, fin, length)
    const payload = at + this.#need
    this.#need += length
    if (available < this.#need) return null
    return { fin, opcode, payload, end: payload + length }
  }

  #check(opcode: number, fin: boolean, length: number): void {
    switch (opcode) {
      case CLOSE:
      case PING:
      case PONG:
        if (!fin || length > LONGEST_CONTROL)
          throw new FrameViolation('a control frame is too long')
        return
      case BINARY:
        if (this.#fragments.length > 0) throw new FrameViolation('a message is not ended')
        break
      case CONTINUATION:
        if (this.#fragments.length === 0) throw new FrameViolation('nothing is to be continued')
        break
      default:
        throw new FrameViolation(`opcode ${opcode} is not used`)
    }
    if (this.#fragmentBytes + length > this.#options.maxMessage) {
      throw new FrameViolation('a message is too long')
    }
  }

  #take(buffer: Buffer, at: number, frame: Frame): void {
    const { opcode, fin, payload, end } = frame
    if (opcode === PONG) {
      this.#options.onPong(unmask(buffer, payload, end))
    } else if (opcode === CLOSE || opcode === PING) {
      this.#options.onFrame(buffer.subarray(at, end))
    } else if (opcode === BINARY && fin) {
      if (end === payload) return
      const key = buffer.subarray(payload - 4, payload)
      this.#checkCapsule((index) => buffer[payload + index]! ^ key[index & 3]!, end - payload)
      this.#options.onFrame(buffer.subarray(at, end))
    } else {
      this.#fragments.push(unmask(buffer, payload, end))
      this.#fragmentBytes += end - payload
      if (fin) this.#joinFragments()
    }
  }

  #joinFragments(): void {
    const head = 14
    const length = this.#fragmentBytes
    const frame = Buffer.concat([Buffer.alloc(head), ...this.#fragments], head + length)
    this.#fragments = []
    this.#fragmentBytes = 0
    if (length === 0) return
    this.#checkCapsule((index) => frame[head + index]!, length)
    // The parser reads only masked frames; a key of zeros leaves the bytes as they are.
    const short = length < 126 ? length : length < 0x1_0000 ? 126 : 127
    const start = head - 6 - (short === 127 ? 8 : short === 126 ? 2 : 0)
    frame[start] = 0x80 | BINARY
    frame[start + 1] = 0x80 | short
    if (short === 126) frame.writeUInt16BE(length, start + 2)
    if (short === 127) frame.writeUInt32BE(length, start + 6)
    this.#options.onFrame(frame.subarray(start))
  }

  #checkCapsule(byteAt: (index: number) => number, length: number): void {
    if (readCapsuleHead(byteAt, length) === null) throw new FrameViolation('a capsule is malformed')
  }
}

/** A copy of a masked payload, in the clear. */
function unmask(buffer: Buffer, payload: number, end: number): Buffer {
  const clear = Buffer.from(buffer.subarray(payload, end))
  for (let i = 0; i < clear.length; i++) clear[i] = clear[i]! ^ buffer[payload - 4 + (i & 3)]!
  return clear
}
