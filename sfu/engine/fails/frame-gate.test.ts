import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameGate, FrameViolation } from './frame-gate.ts'

const STREAM = 0x190b4d3b
const MAX_MESSAGE = 70_000

function gate() {
  const frames: Buffer[] = []
  const pongs: Buffer[] = []
  const gate = new FrameGate({
    maxMessage: MAX_MESSAGE,
    onFrame: (frame) => frames.push(Buffer.from(frame)),
    onPong: (payload) => pongs.push(payload),
  })
  return { gate, frames, pongs }
}

/** One masked frame, as a client sends it. */
function frame(opcode: number, payload: Uint8Array, fin = true, key = [1, 2, 3, 4]): Buffer {
  const { length } = payload
  const head =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0xfe, length >> 8, length & 0xff]
        : [
            0xff,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ]
  const masked = payload.map((byte, index) => byte ^ key[index & 3]!)
  return Buffer.from([(fin ? 0x80 : 0) | opcode, ...head, ...key, ...masked])
}

/** What the package's parser would read in a frame that the gate let through. */
function payloadOf(frame: Buffer): Buffer {
  const short = frame[1]! & 0x7f
  const start = 6 + (short === 127 ? 8 : short === 126 ? 2 : 0)
  return frame
    .subarray(start)
    .map((byte, index) => byte ^ frame[start - 4 + (index & 3)]!) as Buffer
}

/** A capsule of stream 1 with so many bytes. */
function capsule(bytes: number): Buffer {
  const head = Buffer.from([0x80 | (STREAM >>> 24), (STREAM >> 16) & 0xff, (STREAM >> 8) & 0xff])
  return Buffer.concat([head, Buffer.from([STREAM & 0xff, 1]), Buffer.alloc(bytes, 7)])
}

describe('FrameGate', () => {
  it.each([0, 1, 200, 65_000, 69_000])('lets a message with %d bytes through whole', (bytes) => {
    const { gate: it, frames } = gate()
    const sent = frame(0x2, capsule(bytes))
    it.push(sent)
    expect(frames).toEqual([sent])
  })

  it('gives the same whatever way TCP cuts the bytes', () => {
    const sent = Buffer.concat([
      frame(0x2, capsule(300)),
      frame(0x9, new Uint8Array([5])),
      frame(0x2, capsule(0)),
      frame(0x2, capsule(1000), false),
      frame(0xa, new Uint8Array([6, 7])),
      frame(0x0, new Uint8Array(20), false),
      frame(0x0, new Uint8Array(3)),
    ])
    const whole = gate()
    whole.gate.push(sent)
    expect(whole.frames.length).toBe(4)
    expect(whole.pongs).toEqual([Buffer.from([6, 7])])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: sent.length }), { maxLength: 20 }), (cuts) => {
        const split = gate()
        let at = 0
        for (const cut of [...cuts.sort((a, b) => a - b), sent.length]) {
          split.gate.push(sent.subarray(at, cut))
          at = cut
        }
        expect(split.frames).toEqual(whole.frames)
        expect(split.pongs).toEqual(whole.pongs)
      }),
    )
  })

  it.each([100, 300, 66_000])('joins a message of %d bytes that came in fragments', (bytes) => {
    const { gate: it, frames } = gate()
    const message = capsule(bytes)
    it.push(frame(0x2, message.subarray(0, 3), false))
    it.push(frame(0x0, message.subarray(3, 50), false, [9, 9, 9, 9]))
    it.push(frame(0x0, message.subarray(50), true, [0xff, 0, 0xff, 0]))
    expect(frames.length).toBe(1)
    expect(frames[0]![0]).toBe(0x82)
    expect(payloadOf(frames[0]!)).toEqual(message)
  })

  it('drops empty messages', () => {
    const { gate: it, frames } = gate()
    it.push(frame(0x2, new Uint8Array(0)))
    it.push(frame(0x2, new Uint8Array(0), false))
    it.push(frame(0x0, new Uint8Array(0)))
    expect(frames).toEqual([])
  })

  it.each([
    ['a message is too long', [frame(0x2, capsule(MAX_MESSAGE)).subarray(0, 14)]],
    [
      'a message is too long',
      [frame(0x2, capsule(40_000), false), frame(0x0, new Uint8Array(40_000))],
    ],
    ['a frame is not masked', [Buffer.from([0x82, 0x01, 0x00])]],
    ['reserved bits are set', [Buffer.from([0xc2, 0x81])]],
    ['opcode 1 is not used', [frame(0x1, new Uint8Array(1))]],
    ['opcode 15 is not used', [frame(0xf, new Uint8Array(1))]],
    ['a control frame is too long', [frame(0x9, new Uint8Array(126))]],
    ['a control frame is too long', [frame(0x9, new Uint8Array(1), false)]],
    ['nothing is to be continued', [frame(0x0, new Uint8Array(1))]],
    ['a message is not ended', [frame(0x2, capsule(1), false), frame(0x2, capsule(1))]],
    ['a capsule is malformed', [frame(0x2, Buffer.from([0x80]))]],
    ['a capsule is malformed', [frame(0x2, capsule(0).subarray(0, 4))]],
    ['a capsule is malformed', [frame(0x2, Buffer.from([0xc0, 0, 0, 0, 0x40, 0, 0, 0]))]],
    ['a capsule is malformed', [frame(0x2, Buffer.from([0x68, 0x43, 0, 0]))]],
    ['a capsule is malformed', [frame(0x2, Buffer.concat([Buffer.of(0), Buffer.alloc(17_000)]))]],
  ])('refuses: %s', (message, pieces) => {
    const { gate: it, frames } = gate()
    expect(() => {
      for (const piece of pieces) it.push(piece)
    }).toThrow(new FrameViolation(message))
    expect(frames).toEqual([])
  })

  it('meets any bytes with frames or a violation, never with another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, likely) => {
        const { gate: it } = gate()
        const data = Buffer.from(bytes)
        if (likely && data.length > 1) {
          data[0] = 0x82
          data[1] = 0x80 | data[1]!
        }
        try {
          it.push(data)
        } catch (error) {
          expect(error).toBeInstanceOf(FrameViolation)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
