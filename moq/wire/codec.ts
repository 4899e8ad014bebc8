/** What a draft's codec does; `versions.ts` has the drafts. */

import type { ControlMessage } from './messages.ts'
import type { Reader } from './reader.ts'

export interface Codec {
  /** The ALPN and `WT-Available-Protocols` value, e.g. `moqt-18`. */
  readonly version: string
  /** A whole message: type, 16-bit length, payload. */
  encode(message: ControlMessage): Uint8Array
  /**
   * Decodes one message's payload; the reader ends with it.
   * @param context GOAWAY differs by the stream that it comes on
   * @throws ProtocolError for an unknown type, a malformed payload or left-over bytes
   */
  decode(type: number, payload: Reader, context: 'control' | 'request'): ControlMessage
}
