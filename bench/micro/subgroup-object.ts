import { encodeProperties } from '../../moq/wire/properties.ts'
import { encodeSubgroupBody, type SubgroupHeader } from '../../moq/wire/subgroup.ts'
import { SubgroupParser } from '../../moq/wire/subgroup-parser.ts'
import type { Case, Subject } from './subject.ts'

const HEADER: SubgroupHeader = {
  trackAlias: 42,
  group: 7,
  subgroup: 0,
  priority: null,
  hasProperties: true,
  endOfGroup: false,
  firstObject: true,
}
/** What our media carries: a timestamp and immutable marks. */
const PROPERTIES = encodeProperties([
  { type: 0x06, value: 1_700_000_000_000_000 },
  { type: 0x0b, value: new Uint8Array(6) },
])
const MOST_BYTES = 1 << 20
/** What one UDP packet brings. */
const PACKET = 1200

/** Objects on a subgroup stream: encoded by a publisher, parsed by a relay or subscriber. */
export const subgroupObject: Subject = {
  name: 'subgroup-object',
  about: 'one object with properties on a subgroup stream',
  cases: () => [
    encode(100),
    encode(1200),
    encode(10_000),
    parse('whole in a chunk', 100, Number.POSITIVE_INFINITY),
    parse('whole in a chunk', 1200, Number.POSITIVE_INFINITY),
    parse('whole in a chunk', 10_000, Number.POSITIVE_INFINITY),
    parse('in packets', 1200, PACKET),
    parse('in packets', 10_000, PACKET),
    parse('byte by byte', 100, 1),
  ],
}

function encode(payloadBytes: number): Case {
  const operations = 500
  const payload = new Uint8Array(payloadBytes)
  return {
    name: `encode ${payloadBytes} B`,
    operations,
    payloadBytes,
    run() {
      let size = 0
      for (let i = 0; i < operations; i++) size += encodeSubgroupBody(PROPERTIES, payload).length
      return size
    },
  }
}

/** @param chunkBytes bytes that come at a time; objects follow each other without regard to it */
function parse(how: string, payloadBytes: number, chunkBytes: number): Case {
  const operations = chunkBytes === 1 ? 50 : 240
  const body = encodeSubgroupBody(PROPERTIES, new Uint8Array(payloadBytes))
  const object = new Uint8Array(1 + body.length)
  object.set(body, 1)
  let sum = 0
  const parser = new SubgroupParser(HEADER, MOST_BYTES, (parsed) => {
    sum += parsed.payloadLength
  })
  const chunks = cut(object, operations, Math.min(chunkBytes, object.length))
  return {
    name: `parse ${payloadBytes} B ${how}`,
    operations,
    payloadBytes,
    run() {
      for (const chunk of chunks) parser.feed(chunk)
      return sum
    },
  }
}

/** The same object many times, cut into chunks of a size. */
function cut(object: Uint8Array, times: number, size: number): Uint8Array[] {
  const stream = new Uint8Array(object.length * times)
  for (let i = 0; i < times; i++) stream.set(object, i * object.length)
  const chunks: Uint8Array[] = []
  for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
  return chunks
}
