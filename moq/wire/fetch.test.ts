import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from './errors.ts'
import {
  encodeFetchHeader,
  FETCH_HEADER,
  type FetchObject,
  FetchObjectWriter,
  type FetchRangeEnd,
  readFetchHeader,
} from './fetch.ts'
import { FetchParser } from './fetch-parser.ts'
import { MoqObject, ObjectStatus } from './object.ts'
import { ObjectTooLargeError } from './object-gatherer.ts'
import type { GroupOrder } from './parameters.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

type Entry = FetchObject | FetchRangeEnd

const MAX = Number.MAX_SAFE_INTEGER
const EMPTY = new Uint8Array(0)
const DEFAULT_PRIORITY = 128
const order = fc.constantFrom<GroupOrder[]>('ascending', 'descending')
const id = fc.oneof(fc.nat(3), fc.nat(300), fc.maxSafeNat())

/** How one entry differs from the one before it. */
const step = fc.record({
  groupStep: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3), id),
  objectGap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, id),
  newObject: fc.option(id),
  end: fc.option(fc.constantFrom('non-existent' as const, 'unknown' as const), { freq: 4 }),
  subgroup: fc.option(id, { freq: 4 }),
  priority: fc.option(fc.nat(3)),
  properties: fc.oneof(fc.constant(EMPTY), fc.uint8Array({ maxLength: 200 })),
  payload: fc.uint8Array({ maxLength: 300 }),
})

/** Objects and range ends of a stream, in order; what would leave the range of ids ends it. */
const stream = fc
  .tuple(order, id, id, fc.array(step, { maxLength: 12 }))
  .map(([groupOrder, firstGroup, firstObject, steps]) => {
    const entries: Entry[] = []
    let group = groupOrder === 'ascending' ? firstGroup : MAX - firstGroup
    let object = firstObject
    for (const { groupStep, objectGap, newObject, end, ...rest } of steps) {
      if (entries.length > 0) {
        group += groupOrder === 'ascending' ? groupStep : -groupStep
        object = groupStep > 0 && newObject !== null ? newObject : object + 1 + objectGap
      }
      if (group < 0 || group > MAX || object > MAX) break
      entries.push(end ? { group, object, kind: end } : { group, object, ...rest })
    }
    return { groupOrder, entries }
  })

function encode(groupOrder: GroupOrder, entries: Entry[]): Uint8Array {
  const encoder = new FetchObjectWriter(groupOrder, DEFAULT_PRIORITY)
  const writer = new Writer()
  for (const entry of entries) {
    writer.bytes('kind' in entry ? encoder.rangeEnd(entry) : encoder.object(entry))
  }
  return writer.finish()
}

function parse(groupOrder: GroupOrder, chunks: Uint8Array[], limit = 1 << 20) {
  const entries: (MoqObject | FetchRangeEnd)[] = []
  const parser = new FetchParser(groupOrder, limit, {
    onObject: (object) => entries.push(object),
    onRangeEnd: (end) => entries.push(end),
  })
  for (const chunk of chunks) parser.feed(chunk)
  parser.finish()
  return entries
}

function plain(entry: Entry): Entry {
  if ('kind' in entry) return entry
  const { group, object, subgroup, priority, properties, payload } = entry
  return { group, object, subgroup, priority: priority ?? DEFAULT_PRIORITY, properties, payload }
}

function cut(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const edges = [0, ...at.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, i) => bytes.slice(edges[i]!, end))
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.split(/\s+/).map((byte) => Number.parseInt(byte, 16)))
}

function sample(group: number, object: number, rest: Partial<FetchObject> = {}): FetchObject {
  const fields = { subgroup: 0, priority: null, properties: EMPTY, payload: EMPTY }
  return { group, object, ...fields, ...rest }
}

describe('fetch header (draft-18 section 11.4.4)', () => {
  it('decode(encode(x)) is x', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (requestId) => {
        const reader = new Reader(encodeFetchHeader({ requestId }))
        expect(reader.vi64()).toBe(FETCH_HEADER)
        expect(readFetchHeader(reader)).toEqual({ requestId })
        reader.end()
      }),
    )
    expect(encodeFetchHeader({ requestId: 300 })).toEqual(hex('05 81 2c'))
  })
})

describe('fetch objects (draft-18 section 11.4.4)', () => {
  const ascending: [Entry, string][] = [
    [sample(5, 0, { payload: hex('61 62') }), '1c 05 00 80 02 61 62'],
    [sample(5, 1, { subgroup: 1, payload: hex('63') }), '02 01 63'],
    [sample(5, 4, { subgroup: 1, properties: hex('04 07') }), '25 03 02 04 07 00'],
    [{ group: 6, object: 9, kind: 'non-existent' }, '80 8c 06 09'],
    [sample(6, 10, { subgroup: 1, payload: hex('64') }), '01 01 64'],
    [sample(8, 0, { subgroup: 9, priority: 7 }), '1f 01 09 00 07 00'],
    [sample(8, 1, { subgroup: null, priority: 7 }), '40 00'],
    [sample(8, 2, { subgroup: 9, priority: 7 }), '03 09 00'],
    [sample(9, 3, { priority: 7 }), '08 00 00'],
    [{ group: 300, object: 2, kind: 'unknown' }, '81 0c 81 2c 02'],
  ]
  const descending: [Entry, string][] = [
    [{ group: 5, object: 9, kind: 'unknown' }, '81 0c 05 09'],
    [sample(5, 12, { subgroup: 2, priority: 0 }), '17 02 03 00 00'],
    [sample(4, 13, { priority: 0 }), '08 00 00'],
    [sample(0, 0, { priority: 0 }), '0c 03 00 00'],
  ]

  it.each([
    ['ascending' as const, ascending],
    ['descending' as const, descending],
  ])('writes and reads bytes computed by hand, groups %s', (groupOrder, example) => {
    const encoder = new FetchObjectWriter(groupOrder, DEFAULT_PRIORITY)
    for (const [entry, bytes] of example) {
      expect('kind' in entry ? encoder.rangeEnd(entry) : encoder.object(entry)).toEqual(hex(bytes))
    }
    const chunk = hex(example.map(([, bytes]) => bytes).join(' '))
    expect(parse(groupOrder, [chunk]).map(plain)).toEqual(example.map(([entry]) => plain(entry)))
  })

  it('decode(encode(x)) is x in both orders, however the stream is cut', () => {
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.nat(), { maxLength: 12 }),
        ({ groupOrder, entries }, cuts) => {
          const bytes = encode(groupOrder, entries)
          expect(parse(groupOrder, cut(bytes, cuts)).map(plain)).toEqual(entries.map(plain))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('reads a stream byte by byte, and an object that outgrows its first buffer', () => {
    const entries = [
      ...ascending.map(([entry]) => entry),
      sample(400, 0, { subgroup: MAX, properties: new Uint8Array(5000).fill(1) }),
      sample(400, 1, { subgroup: 0, payload: new Uint8Array(20_000).fill(2) }),
    ]
    const bytes = encode('ascending', entries)
    const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect(parse('ascending', chunks).map(plain)).toEqual(entries.map(plain))
  })

  it('gives views of the chunk, and the body as it stood on the wire', () => {
    const chunk = hex('3c 05 00 80 02 04 07 02 61 62')
    const [object] = parse('ascending', [chunk])
    if (!(object instanceof MoqObject)) throw new Error('no object')
    expect(object.body).toEqual(hex('02 04 07 02 61 62'))
    for (const view of [object.body, object.properties, object.payload]) {
      expect(view.buffer).toBe(chunk.buffer)
    }
    expect([object.status, object.hasProperties, object.endOfGroup]).toEqual([0, true, false])
  })

  it('ignores the subgroup bits of a datagram object, and takes an empty properties field', () => {
    for (const flags of ['7c', '7d', '7e', '7f']) {
      const [object] = parse('ascending', [hex(`${flags} 05 00 80 00 01 61`)])
      expect(object).toMatchObject({ group: 5, subgroup: null, object: 0, payloadLength: 1 })
    }
  })

  it('after a range end refers to its location, and to the object before it for the rest', () => {
    const entries = parse('ascending', [hex('1f 05 07 00 09 00 80 8c 06 09 02 00')])
    expect(entries[2]).toMatchObject({ group: 6, object: 10, subgroup: 8, priority: 9 })
  })
})

describe('what a fetch stream may not carry', () => {
  const first = '1f 05 07 00 80 00'
  /** 2^53-1 and 2^64-1. */
  const top = 'fe 1f ff ff ff ff ff ff'
  const beyond = 'ff ff ff ff ff ff ff ff ff'

  it.each<[string, string, string, GroupOrder?]>([
    ['a first object without group id', 'group and object id', '14 05 80 00'],
    ['a first object without object id', 'group and object id', '18 05 80 00'],
    ['a first object without either', 'group and object id', '10 80 00'],
    ['a first object without priority', 'its priority', '0c 05 00 00'],
    ['a first object of the prior subgroup', 'prior subgroup', '1d 05 00 80 00'],
    ['a first object of the next subgroup', 'prior subgroup', '1e 05 00 80 00'],
    ['prior priority after only a range end', 'its priority', '80 8c 05 00 0c 00 00 00'],
    ['prior subgroup after only a range end', 'prior subgroup', '80 8c 05 00 11 80 00'],
    ['next subgroup after only a range end', 'prior subgroup', '81 0c 05 00 12 80 00'],
    ['prior subgroup after a datagram', 'prior subgroup', '5c 05 00 80 00 01 00'],
    ['a group id below 0', 'group id below 0', `${first} 0c 05 00 00`, 'descending'],
    ['a group id far below 0', 'group id delta', `${first} 0c ${beyond} 00 00`, 'descending'],
    ['a group id above 2^64-1', 'group id delta', `${first} 0c ${beyond} 00 00`],
    ['an object id above 2^64-1', 'object id delta', `${first} 04 ${beyond} 00`],
    ['a sum of group ids above 2^53-1', 'group id above', `${first} 0c ${top} 00 00`],
    ['a sum of object ids above 2^53-1', 'object id above', `1c 05 01 80 00 04 ${top} 00`],
    ['an object id after the largest', 'object id above', `1c 05 ${top} 80 00 00 00`],
    ['a subgroup id after the largest', 'subgroup id above', `1f 05 ${top} 00 80 00 02 00`],
    ['unknown flags 0x80', 'unknown fetch flags', `${first} 80 80 00 00 00`],
    ['unknown flags 0x8d', 'unknown fetch flags', `${first} 80 8d 06 00`],
    ['unknown flags 0x20c', 'unknown fetch flags', `${first} 82 0c 06 00`],
    ['unknown flags 2^64-1', 'serialization flags', `${first} ${beyond} 06 00`],
    ['an end within flags', 'ends within an object', `${first} 80`],
    ['an end within ids', 'ends within an object', `${first} 80 8c 05`],
    ['an end within a payload', 'ends within an object', '1c 05 00 80 02 61'],
  ])('%s', (_, reason, bytes, groupOrder = 'ascending') => {
    const read = () => parse(groupOrder, [hex(bytes)])
    expect(read).toThrow(ProtocolError)
    expect(read).toThrow(reason)
  })

  it('but the largest id and group 0 are fine', () => {
    const [object] = parse('ascending', [hex(`1f ${top} ${top} ${top} 80 00`)])
    expect(object).toMatchObject({ group: MAX, subgroup: MAX, object: MAX })
    expect(parse('descending', [hex(`${first} 0c 04 00 00`)])[1]).toMatchObject({ group: 0 })
  })

  it('an object above the limit, known by its length alone', () => {
    const parser = (bytes: string) => () => parse('ascending', [hex(bytes)], 1000)
    expect(parser('1c 05 00 80 83 e9')).toThrow(ObjectTooLargeError)
    expect(parser('3c 05 00 80 83 e9')).toThrow(ObjectTooLargeError)
    expect(parser('3c 05 00 80 02 04 07 83 e7')).toThrow(ObjectTooLargeError)
    expect(parser('3c 05 00 80 02 04 07 83 e6')).toThrow(ProtocolError)
  })

  it('memory for a length that a peer merely claims', () => {
    const limit = 1 << 20
    const before = process.memoryUsage().arrayBuffers
    const parsers = Array.from({ length: 100 }, () => {
      const parser = new FetchParser('ascending', limit, {
        onObject: () => {},
        onRangeEnd: () => {},
      })
      // A payload of 1 MiB is announced, one byte of it comes.
      parser.feed(hex('1c 05 00 80 d0 00 00 61'))
      return parser
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * limit)
    for (const parser of parsers) expect(() => parser.finish()).toThrow(ProtocolError)
  })

  it('throws nothing but the named errors, whatever comes in whatever pieces', () => {
    const flags = fc.oneof(fc.nat(0x7f), fc.constantFrom(0x8c, 0x10c))
    const part = fc.tuple(flags, fc.uint8Array({ maxLength: 12 }))
    const likely = fc
      .array(part, { maxLength: 20 })
      .map((parts) =>
        parts
          .reduce((writer, [value, rest]) => writer.vi64(value).bytes(rest), new Writer())
          .finish(),
      )
    const bytes = fc.oneof(likely, fc.uint8Array({ maxLength: 300 }))
    const start = fc.constantFrom(EMPTY, hex(first))
    fc.assert(
      fc.property(order, start, bytes, fc.array(fc.nat()), (groupOrder, head, rest, cuts) => {
        try {
          parse(groupOrder, [head, ...cut(rest, cuts)], 1000)
        } catch (error) {
          expect(error instanceof ProtocolError || error instanceof ObjectTooLargeError).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('what the writer refuses', () => {
  const entries: [GroupOrder, Entry][] = [
    ['ascending', sample(4, 9)],
    ['descending', sample(6, 9)],
    ['ascending', sample(5, 2)],
    ['ascending', sample(5, 1)],
    ['ascending', { group: 5, object: 2, kind: 'unknown' }],
    ['descending', { group: 6, object: 0, kind: 'unknown' }],
    ['ascending', sample(MAX + 1, 0)],
    ['ascending', sample(5, 2.5)],
    ['ascending', sample(5, 3, { subgroup: -1 })],
    ['ascending', sample(5, 3, { priority: 256 })],
    ['ascending', sample(5, 3, { status: ObjectStatus.END_OF_GROUP })],
  ]

  it.each(
    entries,
  )('%s: %o after {5, 2}, and goes on as if it had not been', (groupOrder, entry) => {
    const encoder = new FetchObjectWriter(groupOrder, DEFAULT_PRIORITY)
    encoder.object(sample(5, 2))
    const write = () => ('kind' in entry ? encoder.rangeEnd(entry) : encoder.object(entry))
    expect(write).toThrow(RangeError)
    expect(encoder.object(sample(5, 3))).toEqual(hex('00 00'))
  })
})
