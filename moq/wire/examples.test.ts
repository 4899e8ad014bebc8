/** The examples that the draft gives in numbers and letters; those of section 1.4.1 are in vi64.test.ts. */

import { describe, expect, it } from 'vitest'
import { formatNamespace, formatTrack, namespaceOf, trackOf } from './names.ts'
import type { MoqObject } from './object.ts'
import { decodeProperties, encodeProperties } from './properties.ts'
import { Reader } from './reader.ts'
import {
  encodeSubgroupBody,
  encodeSubgroupHeader,
  objectIdDelta,
  readSubgroupHeader,
} from './subgroup.ts'
import { SubgroupParser } from './subgroup-parser.ts'

const utf8 = new TextEncoder()

describe("the draft's examples", () => {
  it('writes a track name in its safe form (section 1.5.1)', () => {
    const namespace = namespaceOf('example.net', 'team2', 'project_x')
    expect(formatNamespace(namespace)).toBe('example.2enet-team2-project_x')
    expect(formatTrack(trackOf(namespace, 'report'))).toBe('example.2enet-team2-project_x--report')
  })

  it('numbers sequential objects with deltas of 0 (section 11.4.2)', () => {
    expect([0, 1, 2, 3].map((id) => objectIdDelta(id, id - 1))).toEqual([0, 0, 0, 0])
  })

  // The draft's lengths, 33 and 21, count more bytes than it shows; here are those that it shows.
  it('sends a group on one stream, the first object with two properties (section 11.6)', () => {
    const trace = utf8.encode('traceID:123456')
    const properties = [
      { type: 4, value: 2186796243 },
      { type: 77, value: trace },
    ]
    const bytes = Uint8Array.from([
      ...[0x35, 2, 0, 0],
      ...[0, 22, 4, 0xf0, 0x82, 0x57, 0xdc, 0xd3, 73, 14, ...trace, 4, ...utf8.encode('abcd')],
      ...[0, 0, 4, ...utf8.encode('efgh')],
    ])
    const reader = new Reader(bytes)
    const header = readSubgroupHeader(reader.vi64(), reader)
    expect(header).toEqual({
      trackAlias: 2,
      group: 0,
      subgroup: 0,
      priority: null,
      hasProperties: true,
      endOfGroup: false,
      firstObject: false,
    })
    const objects: MoqObject[] = []
    const parser = new SubgroupParser(header, 1000, (object) => objects.push(object))
    parser.feed(reader.rest())
    parser.finish()
    const text = new TextDecoder()
    expect(
      objects.map((object) => [
        object.object,
        text.decode(object.payload),
        decodeProperties(object.properties),
      ]),
    ).toEqual([
      [0, 'abcd', properties],
      [1, 'efgh', []],
    ])
    const first = encodeSubgroupBody(encodeProperties(properties), utf8.encode('abcd'))
    const second = encodeSubgroupBody(encodeProperties([]), utf8.encode('efgh'))
    expect([0, ...first, 0, ...second]).toEqual([...bytes.subarray(4)])
    // A subgroup id of 0 needs no field: mode 0b00 says the same.
    expect([...encodeSubgroupHeader(header)]).toEqual([0x31, 2, 0])
  })
})
