import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AssembledFrame } from './assemble.ts'
import { type FakeChunk, FakeCodec, stubCodecs } from './fake-codecs.ts'
import { VideoTrackDecoder } from './video-decoder.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

function setUp() {
  const clock = { ms: 0 }
  const onFrame = vi.fn()
  const onKeyFrameNeeded = vi.fn()
  const errors: Error[] = []
  const decoder = new VideoTrackDecoder({
    codec: 'vp8',
    now: () => clock.ms,
    onFrame,
    onKeyFrameNeeded,
    onError: (error) => errors.push(error),
  })
  return { clock, onFrame, onKeyFrameNeeded, errors, decoder }
}
const frame = (number: number, extra: Partial<AssembledFrame> = {}): AssembledFrame => ({
  group: 0,
  number,
  bytes: Uint8Array.of(number),
  timestamp: number * 1000,
  key: number === 0,
  temporalLayer: 0,
  discardable: false,
  ...extra,
})
const inputs = (codec: FakeCodec) =>
  codec.inputs.map(({ item }) => {
    const chunk = item as unknown as FakeChunk
    return `${chunk.type} ${chunk.timestamp}`
  })

describe('VideoTrackDecoder', () => {
  it('decodes from the first key frame on and counts pictures', () => {
    const { clock, decoder, onFrame } = setUp()
    for (const number of [5, 0, 1]) decoder.decode(frame(number))
    expect(inputs(FakeCodec.last)).toEqual(['key 0', 'delta 1000'])
    clock.ms = 77
    const picture = { close: vi.fn() }
    FakeCodec.last.emit(picture)
    expect(onFrame).toHaveBeenCalledWith(picture)
    expect(picture.close).not.toHaveBeenCalled()
    expect(decoder.counters).toEqual({ framesDecoded: 1, framesDropped: 1, errors: 0 })
    expect(decoder.lastFrameAt).toBe(77)
  })

  it('has a codec ready that was prepared, and asks for nothing by that', () => {
    const { decoder, onKeyFrameNeeded, errors } = setUp()
    decoder.prepare()
    decoder.prepare()
    expect(FakeCodec.last.configs).toHaveLength(1)
    decoder.decode(frame(0))
    expect(FakeCodec.made).toHaveLength(1)
    expect(inputs(FakeCodec.last)).toEqual(['key 0'])
    decoder.close()
    decoder.prepare()
    expect(FakeCodec.made).toHaveLength(1)
    expect([onKeyFrameNeeded.mock.calls.length, errors.length]).toEqual([0, 0])
  })

  it('asks for a key frame after an error and goes on there', () => {
    const { clock, decoder, onKeyFrameNeeded, errors } = setUp()
    decoder.decode(frame(0))
    FakeCodec.last.fail('bad bitstream')
    expect(errors).toMatchObject([{ stage: 'video-decoder' }])
    expect(onKeyFrameNeeded).toHaveBeenCalledTimes(1)
    decoder.decode(frame(1))
    expect(FakeCodec.made).toHaveLength(1)
    decoder.decode(frame(0))
    expect(onKeyFrameNeeded, 'the pause is not over: another is needed').toHaveBeenCalledTimes(2)
    clock.ms = 100
    decoder.decode(frame(0))
    expect(FakeCodec.made).toHaveLength(2)
    expect(inputs(FakeCodec.last)).toEqual(['key 0'])
  })

  it('drops what nothing depends on when it falls behind, then all up to a key frame', () => {
    const { decoder, onKeyFrameNeeded } = setUp()
    decoder.decode(frame(0))
    FakeCodec.last.decodeQueueSize = 6
    decoder.decode(frame(1, { discardable: true }))
    decoder.decode(frame(2))
    FakeCodec.last.decodeQueueSize = 30
    decoder.decode(frame(3))
    FakeCodec.last.decodeQueueSize = 0
    decoder.decode(frame(4))
    decoder.decode(frame(0))
    expect(inputs(FakeCodec.last)).toEqual(['key 0', 'delta 2000', 'key 0'])
    expect(onKeyFrameNeeded).toHaveBeenCalledTimes(1)
    expect(decoder.counters.framesDropped).toBe(3)
  })

  it('sets itself up anew when a key frame brings another configuration', () => {
    const { decoder } = setUp()
    const config = Uint8Array.of(1)
    decoder.decode(frame(0, { config }))
    decoder.decode(frame(0, { config: Uint8Array.of(1) }))
    expect(FakeCodec.made).toHaveLength(1)
    expect(FakeCodec.last.configs[0]).toMatchObject({ codec: 'vp8', description: config })
    decoder.decode(frame(0, { config: Uint8Array.of(2) }))
    expect(FakeCodec.made).toHaveLength(2)
  })

  it('closes pictures that come after it was closed', () => {
    const { decoder, onFrame } = setUp()
    decoder.decode(frame(0))
    decoder.close()
    const picture = { close: vi.fn() }
    FakeCodec.last.emit(picture)
    expect(picture.close).toHaveBeenCalledOnce()
    expect(onFrame).not.toHaveBeenCalled()
  })
})
