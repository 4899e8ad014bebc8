import type { Codec } from '../wire/codec.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage } from '../wire/messages.ts'
import { countRanges } from './range-filter-rules.ts'

/** What the peer's SETUP said of messages to it. */
export interface PeerTerms {
  /** MAX_FILTER_RANGES (draft-19 section 10.3.1.6). */
  maxFilterRanges: number
}

/**
 * A draft's codec for one peer. Decoding knows what the draft forbids a client to say whatever stream
 * it says it on: a URI where a server should connect to (draft-18 sections 10.4 and 10.6.1). Encoding
 * throws a RangeError for filters with more ranges than the peer takes (our own bug).
 * @param role ours
 */
export function peerCodec(codec: Codec, role: 'client' | 'server', peer: PeerTerms): Codec {
  return {
    version: codec.version,
    rules: codec.rules,
    encode(message) {
      if ('parameters' in message && countRanges(message.parameters) > peer.maxFilterRanges) {
        throw new RangeError(`the peer takes ${peer.maxFilterRanges} filter ranges in a request`)
      }
      return codec.encode(message)
    },
    decode(type, payload, context) {
      const message = codec.decode(type, payload, context)
      if (role === 'server') refuseUri(message)
      return message
    },
  }
}

function refuseUri(message: ControlMessage): void {
  if (message.type === 'GOAWAY' && message.newSessionUri !== '') {
    throw new ProtocolError('GOAWAY of a client with a URI')
  }
  if (message.type === 'REQUEST_ERROR' && message.redirect && message.redirect.connectUri !== '') {
    throw new ProtocolError('redirect of a client with a URI')
  }
}
