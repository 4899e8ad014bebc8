/**
 * The stream of a request, as either side reads it: HEADERS, then DATA. On an accepted CONNECT the
 * data are capsules, on anything else a text that nobody needs whole.
 */

import type { ReceiveStreamHandler } from '../../transport.ts'
import * as errors from '../h3/errors.ts'
import { H3Error } from '../h3/errors.ts'
import { FRAME_DATA, FRAME_HEADERS, FRAME_SETTINGS, FRAMES_OF_HTTP2 } from '../h3/frames.ts'
import { decodeFields } from '../h3/qpack.ts'
import { TlvReader } from '../h3/tlv-reader.ts'

const MAX_HEADERS_LENGTH = 16 * 1024

/** Fields of a message; where a field comes twice, the values are joined (RFC 9110, Section 5.3). */
export type Message = ReadonlyMap<string, string>

export interface RequestStreamHandler {
  onMessage(message: Message): void
  onData(bytes: Uint8Array): void
  /** The peer has ended or abandoned its side. */
  onDone(wasReset: boolean): void
  /** Takes an `H3Error`, or whatever the handler threw. */
  onError(error: unknown): void
}

export class RequestStream implements ReceiveStreamHandler {
  #handler: RequestStreamHandler
  #reader: TlvReader
  #hasMessage = false

  constructor(handler: RequestStreamHandler) {
    this.#handler = handler
    this.#reader = new TlvReader({
      onType: (type) => this.#judge(type),
      onItem: (_type, value) => this.#onHeaders(value),
      onPart: (_type, bytes) => handler.onData(bytes),
    })
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    try {
      this.#reader.push(bytes)
      if (!fin) return
      if (!this.#hasMessage || !this.#reader.isBetweenItems) {
        throw new H3Error(errors.H3_REQUEST_INCOMPLETE, 'a request stream ended too early')
      }
      this.#handler.onDone(false)
    } catch (error) {
      this.#handler.onError(error)
    }
  }

  onReset(): void {
    this.#handler.onDone(true)
  }

  #judge(type: number): 'skip' | 'parts' | number {
    if (type === FRAME_HEADERS) return MAX_HEADERS_LENGTH
    if (type === FRAME_DATA && this.#hasMessage) return 'parts'
    if (type === FRAME_DATA || type === FRAME_SETTINGS || FRAMES_OF_HTTP2.has(type)) {
      throw new H3Error(errors.H3_FRAME_UNEXPECTED, `frame ${type} on a request stream`)
    }
    return 'skip'
  }

  #onHeaders(section: Uint8Array): void {
    const message = new Map<string, string>()
    for (const [name, value] of decodeFields(section)) {
      const before = message.get(name)
      if (before !== undefined && name.startsWith(':')) {
        throw new H3Error(errors.H3_MESSAGE_ERROR, `${name} comes twice`)
      }
      message.set(name, before === undefined ? value : `${before}, ${value}`)
    }
    // Interim responses and trailers are read and passed over.
    const isInterim = /^1\d\d$/.test(message.get(':status') ?? '')
    if (this.#hasMessage || isInterim) return
    this.#hasMessage = true
    this.#handler.onMessage(message)
  }
}
