/** draft-ietf-moq-transport-18: control messages of section 10 on the wire. */

import type { Codec } from '../codec.ts'
import { ProtocolError } from '../errors.ts'
import type { ControlMessage, MessageType } from '../messages.ts'
import { Writer } from '../writer.ts'
import { BODIES, type Body, MESSAGE_ID } from './bodies.ts'

const TYPE_BY_ID = new Map<number, MessageType>(
  Object.entries(MESSAGE_ID).map(([type, id]) => [id, type as MessageType]),
)

const MAX_PAYLOAD = 0xffff

export const draft18: Codec = {
  version: 'moqt-18',

  encode(message: ControlMessage): Uint8Array {
    const payload = new Writer(128)
    const body = BODIES[message.type] as Body<ControlMessage>
    body.write(payload, message)
    if (payload.size > MAX_PAYLOAD) {
      throw new RangeError(`${message.type} of ${payload.size} bytes, at most ${MAX_PAYLOAD}`)
    }
    return new Writer(payload.size + 11)
      .vi64(MESSAGE_ID[message.type])
      .uint16(payload.size)
      .bytes(payload.finish())
      .finish()
  },

  decode(id, payload, context) {
    const type = TYPE_BY_ID.get(id)
    if (!type) throw new ProtocolError(`unknown message type 0x${id.toString(16)}`)
    const message = BODIES[type].read(payload, context)
    payload.end()
    return message
  },
}
