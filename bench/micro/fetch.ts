import {
  encodeFetchHeader,
  type FetchObject,
  FetchObjectWriter,
  type FetchRangeEnd,
  readFetchHeader,
} from '../../moq/wire/fetch.ts'
import { FetchParser } from '../../moq/wire/fetch-parser.ts'
import { encodeProperties } from '../../moq/wire/properties.ts'
import { Reader } from '../../moq/wire/reader.ts'
import type { Case, Subject } from './subject.ts'

const HEADERS = 1000
/** Objects or range ends on the stream of one batch. */
const ITEMS = 240
const OBJECTS_A_GROUP = 30
const MOST_BYTES = 1 << 20
const PRIORITY = 128
const PROPERTIES = encodeProperties([
  { type: 0x06, value: 1_700_000_000_000_000 },
  { type: 0x0b, value: new Uint8Array(6) },
])

/** Streams that answer a FETCH (draft-18 section 11.4.4). */
export const fetch: Subject = {
  name: 'fetch',
  about: 'one FETCH_HEADER with its stream type, one object with properties, one End of Range',
  cases: () => [
    ...headerCases(),
    encodeObjects(100),
    encodeObjects(1200),
    parseObjects(100),
    parseObjects(1200),
    ...rangeEndCases(),
  ],
}

function headerCases(): Case[] {
  const bytes = encodeFetchHeader({ requestId: 1234 })
  return [
    {
      name: 'encode header',
      operations: HEADERS,
      run() {
        let size = 0
        for (let i = 0; i < HEADERS; i++) size += encodeFetchHeader({ requestId: i }).length
        return size
      },
    },
    {
      name: 'decode header',
      operations: HEADERS,
      run() {
        let sum = 0
        for (let i = 0; i < HEADERS; i++) {
          const reader = new Reader(bytes)
          sum += reader.vi64('stream type') + readFetchHeader(reader).requestId
        }
        return sum
      },
    },
  ]
}

function objects(payloadBytes: number): FetchObject[] {
  const payload = new Uint8Array(payloadBytes)
  return Array.from({ length: ITEMS }, (_, i) => ({
    group: 123_456 + Math.floor(i / OBJECTS_A_GROUP),
    object: i % OBJECTS_A_GROUP,
    subgroup: 0,
    priority: null,
    properties: PROPERTIES,
    payload,
  }))
}

function rangeEnds(): FetchRangeEnd[] {
  return Array.from({ length: ITEMS }, (_, i) => ({
    kind: 'non-existent',
    group: 123_456 + i,
    object: 17,
  }))
}

function encodeObjects(payloadBytes: number): Case {
  const all = objects(payloadBytes)
  return {
    name: `encode object ${payloadBytes} B`,
    operations: ITEMS,
    payloadBytes,
    run() {
      const writer = new FetchObjectWriter('ascending', PRIORITY)
      let size = 0
      for (const object of all) size += writer.object(object).length
      return size
    },
  }
}

function parseObjects(payloadBytes: number): Case {
  const writer = new FetchObjectWriter('ascending', PRIORITY)
  const stream = joined(objects(payloadBytes).map((object) => writer.object(object)))
  return { ...parse(`parse object ${payloadBytes} B`, stream), payloadBytes }
}

function rangeEndCases(): Case[] {
  const all = rangeEnds()
  const encode = () => {
    const writer = new FetchObjectWriter('ascending', PRIORITY)
    return all.map((end) => writer.rangeEnd(end))
  }
  return [
    {
      name: 'encode range end',
      operations: ITEMS,
      run() {
        const writer = new FetchObjectWriter('ascending', PRIORITY)
        let size = 0
        for (const end of all) size += writer.rangeEnd(end).length
        return size
      },
    },
    parse('parse range end', joined(encode())),
  ]
}

function parse(name: string, stream: Uint8Array): Case {
  let sum = 0
  const sink = {
    onObject: (object: { payloadLength: number }) => {
      sum += object.payloadLength
    },
    onRangeEnd: (end: FetchRangeEnd) => {
      sum += end.object
    },
  }
  return {
    name,
    operations: ITEMS,
    run() {
      new FetchParser('ascending', MOST_BYTES, sink).feed(stream)
      return sum
    },
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
