import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DatagramHeader,
  decodeDatagram,
  encodeDatagram,
  reencodeDatagram,
} from './datagram.ts'
import { ProtocolError } from './errors.ts'
import type { MoqObject } from './object.ts'
import { ObjectTooLargeError } from './object-gatherer.ts'
import { encodeProperties } from './properties.ts'
import { Reader } from './reader.ts'
import {
  encodeStatusBody,
  encodeSubgroupBody,
  encodeSubgroupHeader,
  objectIdDelta,
  readSubgroupHeader,
  type SubgroupHeader,
} from './subgroup.ts'
import { SubgroupParser } from './subgroup-parser.ts'
import { Writer } from './writer.ts'

const id = fc.maxSafeNat()
const priority = fc.option(fc.nat(255))
const header: fc.Arbitrary<SubgroupHeader> = fc.record({
  trackAlias: id,
  group: id,
  subgroup: fc.option(id),
  priority,
  hasProperties: fc.boolean(),
  endOfGroup: fc.boolean(),
  firstObject: fc.boolean(),
})
const plain: SubgroupHeader = {
  trackAlias: 2,
  group: 0,
  subgroup: 0,
  priority: 0,
  hasProperties: false,
  endOfGroup: false,
  firstObject: false,
}

interface Sample {
  object: number
  properties: Uint8Array
  payload: Uint8Array
}

/** A stream's objects in ascending order of id. */
const samples: fc.Arbitrary<Sample[]> = fc
  .uniqueArray(fc.nat(10_000), { maxLength: 8 })
  .chain((ids) =>
    fc.tuple(
      ...ids
        .sort((a, b) => a - b)
        .map((object) =>
          fc.record({
            object: fc.constant(object),
            properties: fc.nat(300).map((value) => encodeProperties([{ type: 4, value }])),
            payload: fc.uint8Array({ maxLength: 300 }),
          }),
        ),
    ),
  )

function encodeStream(head: SubgroupHeader, objects: Sample[]): Uint8Array {
  const writer = new Writer()
  let previous = -1
  for (const { object, properties, payload } of objects) {
    writer.vi64(objectIdDelta(object, previous))
    writer.bytes(encodeSubgroupBody(head.hasProperties ? properties : null, payload))
    previous = object
  }
  return writer.finish()
}

function parse(head: SubgroupHeader, chunks: Uint8Array[], limit = 1 << 20): MoqObject[] {
  const objects: MoqObject[] = []
  const parser = new SubgroupParser(head, limit, (object) => objects.push(object))
  for (const chunk of chunks) parser.feed(chunk)
  parser.finish()
  return objects
}

function cut(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const edges = [0, ...at.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, i) => bytes.slice(edges[i]!, end))
}

describe('subgroup streams (draft-18 section 11.4.2)', () => {
  it('header: decode(encode(x)) is x', () => {
    fc.assert(
      fc.property(header, (h) => {
        const bytes = encodeSubgroupHeader(h)
        const reader = new Reader(bytes)
        const decoded = readSubgroupHeader(reader.vi64(), reader)
        reader.end()
        expect(decoded).toEqual(h)
      }),
    )
  })

  it("reads the draft's first example", () => {
    const bytes = Uint8Array.from([
      0x14, 2, 0, 0, 0, 0, 4, 0x61, 0x62, 0x63, 0x64, 0, 4, 0x65, 0x66, 0x67, 0x68,
    ])
    const reader = new Reader(bytes)
    const head = readSubgroupHeader(reader.vi64(), reader)
    expect(head).toEqual(plain)
    const objects = parse(head, [reader.rest()])
    const text = new TextDecoder()
    expect(objects.map((o) => [o.group, o.subgroup, o.object, text.decode(o.payload)])).toEqual([
      [0, 0, 0, 'abcd'],
      [0, 0, 1, 'efgh'],
    ])
  })

  it('gives the same objects however the stream is cut', () => {
    fc.assert(
      fc.property(header, samples, fc.array(fc.nat(), { maxLength: 12 }), (head, list, cuts) => {
        const objects = parse(head, cut(encodeStream(head, list), cuts))
        expect(
          objects.map((o) => ({ object: o.object, properties: o.properties, payload: o.payload })),
        ).toEqual(
          list.map((s) => (head.hasProperties ? s : { ...s, properties: new Uint8Array(0) })),
        )
        const subgroup = head.subgroup ?? list[0]?.object
        for (const object of objects) expect(object.subgroup).toBe(subgroup)
      }),
    )
  })

  it('keeps the body as it stood on the wire, so that it can be sent on', () => {
    fc.assert(
      fc.property(header, samples, (head, list) => {
        const bytes = encodeStream(head, list)
        const writer = new Writer()
        let previous = -1
        for (const object of parse(head, cut(bytes, [7, 9, 40]))) {
          writer.vi64(objectIdDelta(object.object, previous)).bytes(object.body)
          previous = object.object
        }
        expect(writer.finish()).toEqual(bytes)
      }),
    )
  })

  it('reads status objects and refuses unknown ones', () => {
    for (const status of [3, 4]) {
      const body = encodeStatusBody(true, status)
      const [object] = parse({ ...plain, hasProperties: true }, [Uint8Array.of(5, ...body)])
      expect([object!.object, object!.status, object!.payloadLength]).toEqual([5, status, 0])
    }
    expect(() => parse(plain, [Uint8Array.of(0, 0, 2)])).toThrow(ProtocolError)
  })

  it('throws nothing but the named errors, whatever comes in whatever pieces', () => {
    fc.assert(
      fc.property(
        header,
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat()),
        (h, bytes, cuts) => {
          try {
            parse(h, cut(bytes, cuts), 1000)
          } catch (error) {
            expect(error instanceof ProtocolError || error instanceof ObjectTooLargeError).toBe(
              true,
            )
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('refuses a stream that ends within an object, and an object above the limit', () => {
    expect(() => parse(plain, [Uint8Array.of(0, 10, 1, 2)])).toThrow(ProtocolError)
    expect(() => parse(plain, [Uint8Array.of(0, 0x83, 0xe9)], 1000)).toThrow(ObjectTooLargeError)
  })
})

describe('datagrams (draft-18 section 11.3.1)', () => {
  const datagramHeader: fc.Arbitrary<DatagramHeader> = fc.record({
    trackAlias: id,
    group: id,
    object: fc.oneof(fc.constant(0), id),
    priority,
    endOfGroup: fc.boolean(),
  })

  it('decode(encode(x)) is x, and survives a change of alias', () => {
    fc.assert(
      fc.property(
        datagramHeader,
        fc.nat(1000),
        fc.uint8Array(),
        id,
        (head, value, payload, alias) => {
          const properties = value % 2 ? encodeProperties([{ type: 2, value }]) : new Uint8Array(0)
          const bytes = encodeDatagram(head, properties, payload)
          const first = decodeDatagram(bytes)!
          expect(first.trackAlias).toBe(head.trackAlias)
          const again = decodeDatagram(reencodeDatagram(alias, first.object))!
          expect(again.trackAlias).toBe(alias)
          for (const { object } of [first, again]) {
            expect(object).toMatchObject({
              group: head.group,
              object: head.object,
              priority: head.priority,
              endOfGroup: head.endOfGroup,
              subgroup: null,
            })
            expect(object.properties).toEqual(properties)
            expect(object.payload).toEqual(payload)
          }
        },
      ),
    )
  })

  it.each([
    0x22, 0x23, 0x26, 0x27, 0x2a, 0x2b, 0x2e, 0x2f, 0x10, 0x30, 0x40,
  ])('refuses type 0x%s', (type) => {
    expect(() => decodeDatagram(Uint8Array.of(type, 1, 1, 1, 1, 1, 1))).toThrow(ProtocolError)
  })

  it('refuses an empty properties field, and properties on a status that is not Normal', () => {
    expect(() => decodeDatagram(Uint8Array.of(0x0d, 1, 1, 0))).toThrow(ProtocolError)
    expect(() => decodeDatagram(Uint8Array.of(0x2d, 1, 1, 2, 4, 1, 3))).toThrow(ProtocolError)
  })

  it('discards padding and throws nothing but a ProtocolError', () => {
    const padding = new Writer().vi64(0x132b3e29).bytes(new Uint8Array(100)).finish()
    expect(decodeDatagram(padding)).toBeNull()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeDatagram(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
