import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AudioTrackEncoder } from './audio-encoder.ts'
import { FakeChunk, FakeCodec, stubCodecs } from './fake-codecs.ts'
import type { EncodedAudio } from './frames.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

function setUp() {
  const frames: EncodedAudio[] = []
  const errors: Error[] = []
  const clock = { ms: 0 }
  const encoder = new AudioTrackEncoder({
    now: () => clock.ms,
    wallClock: () => clock.ms,
    onFrame: (frame) => frames.push(frame),
    onError: (error) => errors.push(error),
  })
  const close = vi.fn()
  let timestamp = 0
  /** 10 ms of samples. */
  const samples = (value: number, sampleRate = 48_000): void => {
    const data = {
      timestamp,
      duration: 10_000,
      sampleRate,
      numberOfChannels: 1,
      numberOfFrames: sampleRate / 100,
      copyTo: (target: Float32Array) => target.fill(value),
      close,
    }
    timestamp += 10_000
    clock.ms += 10
    // The encoder touches no other member of an AudioData.
    encoder.encode(data as unknown as AudioData)
  }
  const jump = (us: number): void => {
    timestamp += us
  }
  return { encoder, frames, errors, clock, close, samples, jump }
}
const packet = () => new FakeChunk({ type: 'key', timestamp: 0, data: Uint8Array.of(7) })

describe('AudioTrackEncoder', () => {
  it('gives 20 ms Opus frames out with their level', () => {
    const { encoder, frames, samples } = setUp()
    samples(0.1)
    samples(0.1)
    FakeCodec.last.emit(packet())
    expect(FakeCodec.last.configs[0]).toMatchObject({
      codec: 'opus',
      sampleRate: 48_000,
      numberOfChannels: 1,
      opus: { frameDuration: 20_000 },
    })
    expect(frames).toMatchObject([{ bytes: Uint8Array.of(7), level: 20, voice: true }])
    expect(encoder.level).toBeCloseTo(0.1)
  })

  it('sends nothing while muted, and nothing from before afterwards', () => {
    const { encoder, frames, close, samples } = setUp()
    samples(0.5)
    const before = FakeCodec.last
    encoder.setMuted(true)
    before.emit(packet())
    samples(0.5)
    expect(frames).toEqual([])
    expect(encoder.level).toBe(0)
    encoder.setMuted(false)
    samples(0)
    FakeCodec.last.emit(packet())
    expect(frames).toMatchObject([{ level: 127, voice: false }])
    expect(before.state).toBe('closed')
    expect(close).toHaveBeenCalledTimes(3)
  })

  it('follows another sample rate, and a break in the time line, with another encoder', () => {
    const { samples, jump } = setUp()
    samples(0.5)
    samples(0.5)
    expect(FakeCodec.made).toHaveLength(1)
    samples(0.5, 16_000)
    expect(FakeCodec.made).toHaveLength(2)
    jump(-800_000)
    samples(0.5, 16_000)
    samples(0.5, 16_000)
    expect(FakeCodec.made).toHaveLength(3)
  })

  it('counts what the capture left out, and neither silence of ours nor a time line of its own', () => {
    const { encoder, samples, jump } = setUp()
    samples(0.5)
    jump(20_000)
    samples(0.5)
    expect(encoder.counters.missing).toBe(1)
    jump(65_000)
    samples(0.5)
    expect(encoder.counters.missing).toBe(4)
    encoder.setMuted(true)
    jump(1_000_000)
    samples(0.5)
    encoder.setMuted(false)
    samples(0.5)
    jump(-300_000)
    samples(0.5)
    jump(60_000_000)
    samples(0.5)
    expect(encoder.counters.missing).toBe(4)
  })

  it('begins anew with another device, whose time line may lie close to the one before', () => {
    const { encoder, frames, samples, jump } = setUp()
    samples(0.5)
    samples(0.5)
    encoder.startSource()
    jump(-400_000)
    samples(0.5)
    expect(FakeCodec.made).toHaveLength(2)
    expect(encoder.counters.missing).toBe(0)
    const first = { type: 'key', timestamp: -380_000, data: Uint8Array.of(7) }
    FakeCodec.last.emit(new FakeChunk(first))
    // It came when 30 ms had passed, whatever its device calls that.
    expect(frames.at(-1)!.timestamp).toBe(30_000)
  })

  it('goes on after an error, when the pause is over', () => {
    const { errors, samples, clock } = setUp()
    samples(0.5)
    FakeCodec.last.fail('broken')
    expect(errors).toMatchObject([{ stage: 'audio-encoder', retryMs: 100 }])
    samples(0.5)
    expect(FakeCodec.made).toHaveLength(1)
    clock.ms += 100
    samples(0.5)
    expect(FakeCodec.made).toHaveLength(2)
  })
})
