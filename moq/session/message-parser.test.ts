import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../wire/errors.ts'
import { Writer } from '../wire/writer.ts'
import { MessageParser } from './message-parser.ts'

function encode(type: number, payload: Uint8Array): Uint8Array {
  return new Writer().vi64(type).uint16(payload.length).bytes(payload).finish()
}

describe('messages on a control or request stream (draft-18 section 10)', () => {
  const message = fc.tuple(fc.nat(20_000), fc.uint8Array({ maxLength: 700 }))

  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(900)), (messages, cuts) => {
        const stream = new Writer()
        for (const [type, payload] of messages) stream.bytes(encode(type, payload))
        const bytes = stream.finish()
        const seen: [number, Uint8Array][] = []
        const parser = new MessageParser((type, payload) =>
          seen.push([type, payload.rest().slice()]),
        )
        let at = 0
        for (const cut of cuts) {
          parser.feed(bytes.slice(at, at + (cut % 40)))
          at = Math.min(bytes.length, at + (cut % 40))
        }
        parser.feed(bytes.slice(at))
        parser.finish()
        expect(seen).toEqual(messages)
      }),
    )
  })

  it('may come byte by byte, and keep what was emitted before intact', () => {
    const payloads = [1, 2, 3].map((fill) => new Uint8Array(5000).fill(fill))
    const kept: Uint8Array[] = []
    const parser = new MessageParser((_type, payload) => kept.push(payload.rest()))
    for (const payload of payloads)
      for (const byte of encode(7, payload)) parser.feed(Uint8Array.of(byte))
    expect(kept).toEqual(payloads)
  })

  it('must be whole when the stream ends', () => {
    const parser = new MessageParser(() => {})
    parser.feed(Uint8Array.of(7, 0, 2, 1))
    expect(() => parser.finish()).toThrow(ProtocolError)
  })

  it('can be counted while they wait, by type and only whole', () => {
    const parser = new MessageParser(() => {})
    parser.pause()
    expect(parser.count(2)).toBe(0)
    const bytes = [
      encode(2, new Uint8Array(3)),
      encode(300, new Uint8Array(0)),
      encode(2, new Uint8Array(1)),
    ]
    for (const message of bytes) parser.feed(message)
    parser.feed(encode(2, new Uint8Array(9)).subarray(0, 5))
    expect([parser.count(2), parser.count(300), parser.count(3)]).toEqual([2, 1, 0])
    parser.resume()
    expect(parser.count(2)).toBe(0)
  })
})
