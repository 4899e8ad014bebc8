import {
  type DatagramHeader,
  decodeDatagram,
  encodeDatagram,
  reencodeDatagram,
} from '../../moq/wire/datagram.ts'
import { encodeProperties } from '../../moq/wire/properties.ts'
import type { Case, Subject } from './subject.ts'

const OPERATIONS = 500
const HEADER: DatagramHeader = {
  trackAlias: 42,
  group: 123_456,
  object: 17,
  priority: null,
  endOfGroup: false,
}
const PROPERTIES = encodeProperties([
  { type: 0x06, value: 1_700_000_000_000_000 },
  { type: 0x0b, value: new Uint8Array(6) },
])

/** Object datagrams (draft-18 section 11.3.1); a relay decodes one and encodes it once for all. */
export const datagram: Subject = {
  name: 'datagram',
  about: 'one object datagram with properties',
  cases: () => [100, 1150].flatMap(casesOf),
}

function casesOf(payloadBytes: number): Case[] {
  const payload = new Uint8Array(payloadBytes)
  const bytes = encodeDatagram(HEADER, PROPERTIES, payload)
  const { object } = decodeDatagram(bytes)!
  const repeat = (name: string, once: () => number): Case => ({
    name: `${name} ${payloadBytes} B`,
    operations: OPERATIONS,
    payloadBytes,
    run() {
      let sum = 0
      for (let i = 0; i < OPERATIONS; i++) sum += once()
      return sum
    },
  })
  return [
    repeat('encode', () => encodeDatagram(HEADER, PROPERTIES, payload).length),
    repeat('decode', () => decodeDatagram(bytes)!.object.payloadLength),
    repeat('re-encode under another alias', () => reencodeDatagram(7, object).length),
  ]
}
