/**
 * One codec a draft, picked by the negotiated version string. The session knows only this interface,
 * so a new draft is a new variant here and no branch there.
 */

import { draft18 } from './draft18/index.ts'
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

const CODECS: readonly Codec[] = [draft18]

/** Version strings in order of preference. */
export const VERSIONS: readonly string[] = CODECS.map((codec) => codec.version)

/** @throws RangeError for a version that is not in `VERSIONS` */
export function codecFor(version: string): Codec {
  const codec = CODECS.find((candidate) => candidate.version === version)
  if (!codec) throw new RangeError(`no codec for ${version}; known: ${VERSIONS.join(', ')}`)
  return codec
}
