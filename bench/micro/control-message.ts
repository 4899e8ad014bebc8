import type { Subscribe } from '../../moq/wire/messages.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { codecFor } from '../../moq/wire/versions.ts'
import type { Subject } from './subject.ts'

const OPERATIONS = 200

const SUBSCRIBE: Subscribe = {
  type: 'SUBSCRIBE',
  requestId: 4,
  track: trackOf(namespaceOf('sotto', 'a-room', '3f2b8c1e-6a54-4b0e-9a61-0d3cf6e1b7aa'), 'video/0'),
  parameters: { subscriberPriority: 40, forward: true, filter: { kind: 'next-group-start' } },
}

/** Control messages; a join costs some tens of them, so this is not the hot path. */
export const controlMessage: Subject = {
  name: 'control-message',
  about: 'one SUBSCRIBE of a call, type and length included',
  cases() {
    const codec = codecFor('moqt-18')
    const bytes = codec.encode(SUBSCRIBE)
    return [
      {
        name: 'encode SUBSCRIBE',
        operations: OPERATIONS,
        run() {
          let size = 0
          for (let i = 0; i < OPERATIONS; i++) size += codec.encode(SUBSCRIBE).length
          return size
        },
      },
      {
        name: 'decode SUBSCRIBE',
        operations: OPERATIONS,
        run() {
          let fields = 0
          for (let i = 0; i < OPERATIONS; i++) {
            const reader = new Reader(bytes)
            const type = reader.vi64('type')
            const end = reader.uint16() + reader.offset
            const message = codec.decode(type, new Reader(bytes, reader.offset, end), 'request')
            if (message.type === 'SUBSCRIBE') fields += message.track.namespace.length
          }
          return fields
        },
      },
    ]
  },
}
