import type { Codec } from '../wire/codec.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage } from '../wire/messages.ts'

/**
 * A draft's codec, with what the draft forbids a client to say whatever stream it says it on: a URI
 * where a server should connect to (draft-18 sections 10.4 and 10.6.1).
 * @param role ours
 */
export function peerCodec(codec: Codec, role: 'client' | 'server'): Codec {
  if (role === 'client') return codec
  return {
    version: codec.version,
    encode: (message) => codec.encode(message),
    decode(type, payload, context) {
      const message = codec.decode(type, payload, context)
      refuseUri(message)
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
