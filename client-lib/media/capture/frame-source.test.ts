import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { framesOf, tapVideo } from './frame-source.ts'

interface FakeTrack {
  readonly clone: () => FakeTrack
  readonly stop: () => void
}

function fakeTrack(): FakeTrack & { readonly clones: FakeTrack[] } {
  const clones: FakeTrack[] = []
  return {
    clones,
    stop: vi.fn(),
    clone() {
      const copy = fakeTrack()
      clones.push(copy)
      return copy
    },
  }
}
const asTrack = (track: FakeTrack) => track as unknown as MediaStreamTrack

/** As a browser has it on this thread. */
function stubProcessor(readable: unknown = new ReadableStream()) {
  vi.stubGlobal(
    'MediaStreamTrackProcessor',
    class {
      readable = readable
    },
  )
}

/** Whether tracks can be transferred. */
function stubTransfer(can: boolean) {
  vi.stubGlobal('structuredClone', (value: FakeTrack) => {
    if (!can) throw new DOMException('no', 'DataCloneError')
    return value
  })
}

beforeEach(() => {
  const video = { play: async () => {}, requestVideoFrameCallback: () => 1 }
  vi.stubGlobal('HTMLVideoElement', { prototype: video })
  vi.stubGlobal('document', {
    createElement: () => ({ ...video, cancelVideoFrameCallback: () => {} }),
    addEventListener: () => {},
    removeEventListener: () => {},
  })
  vi.stubGlobal('MediaStream', class {})
})
afterEach(() => vi.unstubAllGlobals())

const options = (workerReadsTracks: boolean) => ({ framerate: 30, workerReadsTracks })

describe('the way in which pictures reach the worker', () => {
  it('is a stream where the page reads tracks, whatever the worker can do', () => {
    const frames = new ReadableStream<VideoFrame>()
    stubProcessor(frames)
    const { source, transfer } = tapVideo(asTrack(fakeTrack()), options(true))
    expect(source).toEqual({ way: 'stream', frames })
    expect(transfer).toEqual([frames])
    expect(framesOf(source)).toBe(frames)
  })

  it('is the track itself, a copy, where the worker reads tracks and can be given them', () => {
    stubTransfer(true)
    const track = fakeTrack()
    const { source, transfer } = tapVideo(asTrack(track), options(true))
    expect(source).toMatchObject({ way: 'track' })
    expect(transfer).toEqual([track.clones.at(-1)])
    expect(track.stop).not.toHaveBeenCalled()
  })

  it('is a port where tracks cannot be transferred, and no copy is left open', () => {
    stubTransfer(false)
    const track = fakeTrack()
    const tap = tapVideo(asTrack(track), options(true))
    expect(tap.source.way).toBe('port')
    for (const { stop } of track.clones) expect(stop).toHaveBeenCalledOnce()
    tap.close()
  })

  it('is a port where nobody reads tracks', () => {
    stubTransfer(true)
    const track = fakeTrack()
    const tap = tapVideo(asTrack(track), options(false))
    expect(tap.source.way).toBe('port')
    expect(track.clones).toEqual([])
    tap.close()
  })
})

describe('a track that the worker was given', () => {
  it('is read as it goes, and let go of when nobody reads any more', async () => {
    const frame = { close: vi.fn() }
    let give!: (frame: unknown) => void
    const cancelled = vi.fn()
    stubProcessor(
      new ReadableStream({
        start: (controller) => {
          give = (one) => controller.enqueue(one)
        },
        cancel: cancelled,
      }),
    )
    const track = fakeTrack()
    const reader = framesOf({ way: 'track', track: asTrack(track) }).getReader()
    give(frame)
    expect((await reader.read()).value).toBe(frame)
    const last = reader.read()
    await reader.cancel()
    expect((await last).done).toBe(true)
    expect(track.stop).toHaveBeenCalledOnce()
    expect(cancelled).toHaveBeenCalledOnce()
    expect(frame.close).not.toHaveBeenCalled()
  })
})
