/** The frame of a control message (draft-18 section 10), which is the same in every draft. */

import { type Bodies, type Body, MESSAGE_ID } from './bodies.ts'
import type { Codec, DraftRules } from './codec.ts'
import { ProtocolError } from './errors.ts'
import type { ControlMessage, MessageType } from './messages.ts'
import { Writer } from './writer.ts'

const TYPE_BY_ID = new Map<number, MessageType>(
  Object.entries(MESSAGE_ID).map(([type, id]) => [id, type as MessageType]),
)

const MAX_PAYLOAD = 0xffff

export function controlCodec(version: string, rules: DraftRules, bodies: Bodies): Codec {
  return {
    version,
    rules,

    encode(message: ControlMessage): Uint8Array {
      const payload = new Writer(128)
      const body = bodies[message.type] as Body<ControlMessage>
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
      const message = bodies[type].read(payload, context)
      payload.end()
      return message
    },
  }
}
