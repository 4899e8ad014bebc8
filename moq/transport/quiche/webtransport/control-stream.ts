/** The peer's control stream (RFC 9114, Section 6.2.1): SETTINGS first, then little that matters. */

import type { ReceiveStreamHandler } from '../../transport.ts'
import * as errors from '../h3/errors.ts'
import { H3Error } from '../h3/errors.ts'
import { FRAME_DATA, FRAME_HEADERS, FRAME_SETTINGS, FRAMES_OF_HTTP2 } from '../h3/frames.ts'
import { decodeSettings, type Settings } from '../h3/settings.ts'
import { TlvReader } from '../h3/tlv-reader.ts'

const MAX_SETTINGS_LENGTH = 1024

export class ControlStream implements ReceiveStreamHandler {
  #reader: TlvReader
  #onError: (error: unknown) => void
  #hasSettings = false

  /** @param onError takes an `H3Error` */
  constructor(onSettings: (settings: Settings) => void, onError: (error: unknown) => void) {
    this.#onError = onError
    this.#reader = new TlvReader({
      onType: (type) => this.#judge(type),
      onItem: (_type, value) => onSettings(decodeSettings(value)),
      onPart: () => {},
    })
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    try {
      this.#reader.push(bytes)
    } catch (error) {
      this.#onError(error)
      return
    }
    if (fin) this.#lost()
  }

  onReset(): void {
    this.#lost()
  }

  #judge(type: number): 'skip' | number {
    if (type === FRAME_SETTINGS && !this.#hasSettings) {
      this.#hasSettings = true
      return MAX_SETTINGS_LENGTH
    }
    if (!this.#hasSettings) {
      throw new H3Error(errors.H3_MISSING_SETTINGS, 'SETTINGS is not the first frame')
    }
    const isForbidden = type === FRAME_DATA || type === FRAME_HEADERS || type === FRAME_SETTINGS
    if (isForbidden || FRAMES_OF_HTTP2.has(type)) {
      throw new H3Error(errors.H3_FRAME_UNEXPECTED, `frame ${type} on the control stream`)
    }
    // GOAWAY, priorities and what is unknown: a connection of one session has no use for them.
    return 'skip'
  }

  #lost(): void {
    this.#onError(new H3Error(errors.H3_CLOSED_CRITICAL_STREAM, 'the control stream was closed'))
  }
}
