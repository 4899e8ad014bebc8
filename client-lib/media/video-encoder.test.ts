import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeChunk, FakeCodec, stubCodecs } from './fake-codecs.ts'
import type { EncodedVideo } from './frames.ts'
import { VideoTrackEncoder } from './video-encoder.ts'
import { DEFAULT_VIDEO } from './video-settings.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

function setUp() {
  const clock = { ms: 0 }
  const frames: EncodedVideo[] = []
  const errors: Error[] = []
  const encoder = new VideoTrackEncoder({
    settings: DEFAULT_VIDEO,
    now: () => clock.ms,
    wallClock: () => 1_700_000_000_000 + clock.ms,
    onFrame: (frame) => frames.push(frame),
    onError: (error) => errors.push(error),
  })
  const close = vi.fn()
  /** One frame 33 ms after the last. */
  const frame = (width = 640, height = 360): void => {
    clock.ms += 33
    const picture = {
      timestamp: clock.ms * 1000,
      displayWidth: width,
      displayHeight: height,
      close,
    }
    // The encoder touches no other member of a VideoFrame.
    encoder.encode(picture as unknown as VideoFrame)
  }
  const keys = () => FakeCodec.last.inputs.map((i) => (i.options as { keyFrame: boolean }).keyFrame)
  return { clock, frames, errors, encoder, close, frame, keys }
}
const chunk = (type: string) =>
  new FakeChunk({ type, timestamp: 33_000, data: Uint8Array.of(1, 2) })

describe('VideoTrackEncoder', () => {
  it('gives frames out as plain data with wall-clock time and temporal layer', () => {
    const { frames, frame, encoder } = setUp()
    frame()
    FakeCodec.last.emit(chunk('delta'), { svc: { temporalLayerId: 2 } })
    expect(frames).toEqual([
      {
        bytes: Uint8Array.of(1, 2),
        timestamp: 1_700_000_000_033_000,
        key: false,
        temporalLayer: 2,
        config: undefined,
      },
    ])
    expect(encoder.counters).toMatchObject({ input: 1, encoded: 1, keyFrames: 0 })
  })

  it('takes another device over in the same encoder, with a key frame and times of its own', () => {
    const { encoder, frames, clock, frame, keys } = setUp()
    for (let i = 0; i < 10; i++) frame()
    const inTheEncoder = { type: 'delta', timestamp: clock.ms * 1000, data: Uint8Array.of(1) }
    encoder.startSource()
    clock.ms += 33
    const picture = { timestamp: 5000, displayWidth: 640, displayHeight: 360, close: () => {} }
    encoder.encode(picture as unknown as VideoFrame)
    expect(FakeCodec.made).toHaveLength(1)
    expect(keys().at(-1)).toBe(true)
    FakeCodec.last.emit(new FakeChunk(inTheEncoder))
    FakeCodec.last.emit(new FakeChunk({ type: 'key', timestamp: 5000, data: Uint8Array.of(1) }))
    const wall = 1_700_000_000_000_000
    expect(frames.map(({ timestamp }) => timestamp - wall)).toEqual([330_000, 363_000])
  })

  it('begins with a key frame and then waits for a request, which it coalesces', () => {
    const { encoder, frame, keys } = setUp()
    for (let i = 0; i < 10; i++) frame()
    encoder.requestKeyFrame()
    encoder.requestKeyFrame()
    frame()
    frame()
    expect(keys()).toEqual([true, ...new Array(9).fill(false), true, false])
  })

  it('spaces requested key frames, and forgets none', () => {
    const { encoder, frame, keys } = setUp()
    frame()
    encoder.requestKeyFrame()
    for (let i = 0; i < 10; i++) frame()
    expect(keys().flatMap((key, i) => (key ? [i] : []))).toEqual([0, 8])
  })

  it('makes a key frame at its interval without a request', () => {
    const { clock, frame, keys } = setUp()
    frame()
    clock.ms += 10_000
    frame()
    expect(keys()).toEqual([true, true])
  })

  it('drops input rather than queue it, and closes every frame', () => {
    const { encoder, close, frame } = setUp()
    frame()
    FakeCodec.last.encodeQueueSize = 3
    frame()
    expect(encoder.counters.dropped).toBe(1)
    encoder.setMuted(true)
    frame()
    encoder.close()
    frame()
    expect(close).toHaveBeenCalledTimes(4)
    expect(FakeCodec.last.inputs).toHaveLength(1)
    expect(FakeCodec.last.state).toBe('closed')
  })

  it('encodes nothing while muted and comes back with a key frame', () => {
    const { encoder, clock, frame, keys } = setUp()
    frame()
    encoder.setMuted(true)
    frame()
    clock.ms += 300
    encoder.setMuted(false)
    frame()
    expect(keys()).toEqual([true, true])
  })

  it('makes itself anew after an error, with growing pauses, and reports', () => {
    const { errors, encoder, clock, frame, keys } = setUp()
    frame()
    FakeCodec.last.fail('lost the device')
    expect(errors).toMatchObject([{ name: 'MediaError', stage: 'video-encoder', retryMs: 100 }])
    frame()
    expect(FakeCodec.made).toHaveLength(1)
    clock.ms += 100
    frame()
    expect(FakeCodec.made).toHaveLength(2)
    expect(keys()).toEqual([true])
    FakeCodec.last.fail('again')
    expect(errors[1]).toMatchObject({ retryMs: 200 })
    expect(encoder.counters).toMatchObject({ errors: 2, dropped: 1 })
    clock.ms += 200
    frame()
    FakeCodec.last.emit(chunk('key'))
    FakeCodec.last.fail('later')
    expect(errors[2]).toMatchObject({ retryMs: 100 })
  })

  it('reports a configuration that the browser refuses', () => {
    const { errors, frame } = setUp()
    FakeCodec.refuse = new TypeError('no such codec')
    frame()
    expect(errors[0]?.message).toBe('video-encoder failed: no such codec')
  })

  it('changes the bitrate without a key frame, and the size with one', () => {
    const { encoder, clock, frame, keys } = setUp()
    frame()
    clock.ms += 300
    encoder.setRate(100_000)
    frame()
    encoder.configure({ ...DEFAULT_VIDEO, width: 320, height: 180 })
    frame()
    expect(keys()).toEqual([true, false, true])
    expect(FakeCodec.last.configs.map((c) => [c['width'], c['bitrate']])).toEqual([
      [640, 600_000],
      [640, 100_000],
      [320, 600_000],
    ])
  })

  it('encodes fewer frames when asked to, without a key frame, and all of them again', () => {
    const { encoder, clock, frame, keys } = setUp()
    const second = (): number => {
      const before = FakeCodec.last.inputs.length
      for (let i = 0; i < 30; i++) frame()
      return FakeCodec.last.inputs.length - before
    }
    frame()
    clock.ms += 300
    encoder.setRate(100_000, 15)
    expect(second()).toBe(15)
    expect(FakeCodec.last.configs.at(-1)).toMatchObject({ bitrate: 100_000, framerate: 15 })
    encoder.setRate(600_000, 30)
    expect(second()).toBe(30)
    expect(keys().filter((key) => key)).toEqual([true])
    expect(encoder.counters).toMatchObject({ input: 46, dropped: 0 })
  })

  it('configures nothing for rates that are what they were', () => {
    const { encoder, frame } = setUp()
    frame()
    encoder.setRate(600_000, 30)
    expect(FakeCodec.last.configs).toHaveLength(1)
  })

  it('has no encoder while it is stopped, and begins anew with a key frame', () => {
    const { encoder, frame, keys } = setUp()
    frame()
    encoder.stop()
    expect(FakeCodec.last.state).toBe('closed')
    frame()
    expect(FakeCodec.made).toHaveLength(1)
    encoder.setMuted(false)
    frame()
    expect(FakeCodec.made).toHaveLength(2)
    expect(keys()).toEqual([true])
  })

  it('keeps the shape of the picture when the device is turned', () => {
    const { frame, clock, keys } = setUp()
    frame()
    clock.ms += 300
    frame(360, 640)
    expect(FakeCodec.last.configs.at(-1)).toMatchObject({ width: 202, height: 360 })
    expect(keys()).toEqual([true, true])
  })
})
