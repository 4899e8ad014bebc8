import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AudioTrackDecoder } from './audio-decoder.ts'
import { FakeCodec, stubCodecs } from './fake-codecs.ts'
import type { PcmChunk } from './pcm.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

function setUp() {
  const clock = { ms: 0 }
  const chunks: PcmChunk[] = []
  const errors: Error[] = []
  const decoder = new AudioTrackDecoder({
    channels: 1,
    now: () => clock.ms,
    onSamples: (chunk) => chunks.push(chunk),
    onError: (error) => errors.push(error),
  })
  return { clock, chunks, errors, decoder }
}

describe('AudioTrackDecoder', () => {
  it('gives planes of samples out, with their level, and closes the data', () => {
    const { chunks, decoder } = setUp()
    decoder.decode(Uint8Array.of(1), 20_000)
    const data = {
      timestamp: 20_000,
      sampleRate: 48_000,
      numberOfChannels: 2,
      numberOfFrames: 960,
      copyTo: (target: Float32Array, { planeIndex }: { planeIndex: number }) =>
        target.fill(planeIndex === 0 ? 0.25 : 0.5),
      close: vi.fn(),
    }
    FakeCodec.last.emit(data)
    expect(chunks).toMatchObject([{ timestamp: 20_000, sampleRate: 48_000 }])
    expect(chunks[0]!.channels.map((c) => [c.length, c[0]])).toEqual([
      [960, 0.25],
      [960, 0.5],
    ])
    expect(decoder.audioLevel).toBeCloseTo(0.25)
    expect(data.close).toHaveBeenCalledOnce()
    expect(decoder.counters.framesDecoded).toBe(1)
  })

  it('goes on after an error, when the pause is over', () => {
    const { clock, errors, decoder } = setUp()
    decoder.decode(Uint8Array.of(1), 0)
    FakeCodec.last.fail('bad packet')
    decoder.decode(Uint8Array.of(2), 1)
    expect(errors).toMatchObject([{ stage: 'audio-decoder', retryMs: 100 }])
    expect(decoder.counters.framesDropped).toBe(1)
    clock.ms = 100
    decoder.decode(Uint8Array.of(3), 2)
    expect(FakeCodec.last.inputs).toHaveLength(1)
  })

  it('takes output that cannot be read for an error of the decoder, and closes it', () => {
    const { errors, decoder } = setUp()
    decoder.decode(Uint8Array.of(1), 0)
    const codec = FakeCodec.last
    const close = vi.fn()
    codec.emit({ timestamp: 0, numberOfFrames: 960, numberOfChannels: 0, copyTo: () => {}, close })
    expect(errors).toMatchObject([{ stage: 'audio-decoder' }])
    expect(close).toHaveBeenCalledOnce()
    expect(codec.state).toBe('closed')
  })

  it('drops rather than queue for more than a second', () => {
    const { decoder } = setUp()
    decoder.decode(Uint8Array.of(1), 0)
    FakeCodec.last.decodeQueueSize = 50
    decoder.decode(Uint8Array.of(2), 1)
    expect(decoder.counters.framesDropped).toBe(1)
  })
})
