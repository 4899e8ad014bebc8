import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ElementFrames } from './element-frames.ts'

type Callback = (now: number, metadata: { captureTime?: number }) => void

/** A `<video>` whose pictures come when the test says so. */
class FakeVideo {
  static last: FakeVideo
  muted = false
  playsInline = false
  srcObject: unknown = null
  readyState = 4
  videoWidth = 640
  videoHeight = 360
  pictures = 0
  private readonly callbacks = new Map<number, Callback>()
  private next = 1

  constructor() {
    FakeVideo.last = this
  }

  play = async () => {}
  requestVideoFrameCallback(callback: Callback): number {
    this.callbacks.set(this.next, callback)
    return this.next++
  }
  cancelVideoFrameCallback(id: number): void {
    this.callbacks.delete(id)
  }
  getVideoPlaybackQuality = () => ({ totalVideoFrames: this.pictures })

  get waiting(): number {
    return this.callbacks.size
  }

  /** As a browser does while the page is seen. */
  show(now: number, captureTime?: number): void {
    const called = [...this.callbacks.values()]
    this.callbacks.clear()
    for (const one of called) one(now, captureTime === undefined ? {} : { captureTime })
  }
}

class FakeCanvas {
  width = 300
  height = 150
  getContext = () => ({ drawImage: () => {} })
}

const page = { hidden: false, listeners: new Set<() => void>() }
let refuses = false

beforeEach(() => {
  vi.useFakeTimers()
  page.hidden = false
  page.listeners.clear()
  refuses = false
  vi.stubGlobal('document', {
    get hidden() {
      return page.hidden
    },
    createElement: (tag: string) => (tag === 'video' ? new FakeVideo() : new FakeCanvas()),
    addEventListener: (_: string, listener: () => void) => page.listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => page.listeners.delete(listener),
  })
  vi.stubGlobal('HTMLMediaElement', { HAVE_CURRENT_DATA: 2 })
  vi.stubGlobal('MediaStream', class {})
  vi.stubGlobal(
    'VideoFrame',
    class {
      readonly from: string
      readonly timestamp: number
      constructor(source: object, { timestamp }: { timestamp: number }) {
        if (refuses) throw new DOMException('no picture', 'InvalidStateError')
        this.from = source instanceof FakeVideo ? 'video' : 'canvas'
        this.timestamp = timestamp
      }
    },
  )
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function setUp(way: 'element' | 'canvas') {
  const frames: { from: string; at: number }[] = []
  const reader = new ElementFrames({
    track: {} as MediaStreamTrack,
    framerate: 20,
    way,
    onFrame: (frame) => {
      const { from } = frame as unknown as { from: string }
      frames.push({ from, at: Math.round(frame.timestamp / 1000 - performance.timeOrigin) })
    },
  })
  const hide = (hidden: boolean) => {
    page.hidden = hidden
    for (const listener of page.listeners) listener()
  }
  return { reader, frames, video: FakeVideo.last, hide }
}

describe('pictures by way of a video element', () => {
  it('are taken when the browser tells of each, with the time of its capture', () => {
    const { frames, video } = setUp('element')
    video.show(100)
    video.show(133, 120)
    expect(frames).toEqual([
      { from: 'video', at: 100 },
      { from: 'video', at: 120 },
    ])
    vi.advanceTimersByTime(1000)
    expect(frames).toHaveLength(2)
  })

  it('go on by timer while the page is hidden, each once, and in order', () => {
    const { frames, video, hide } = setUp('element')
    hide(true)
    expect(video.waiting).toBe(0)
    for (let i = 0; i < 5; i++) {
      video.pictures = 1 + (i >> 1)
      vi.advanceTimersByTime(50)
    }
    expect(frames).toHaveLength(3)
    hide(false)
    expect(video.waiting).toBe(1)
    // Older than the last one that the timer took.
    video.show(0)
    expect(frames).toHaveLength(3)
    vi.advanceTimersByTime(500)
    expect(frames).toHaveLength(3)
  })

  it('are left out while there is none', () => {
    const { frames, video } = setUp('element')
    video.readyState = 1
    video.show(10)
    video.readyState = 4
    video.videoWidth = 0
    video.show(20)
    video.videoWidth = 640
    refuses = true
    video.show(30)
    refuses = false
    video.show(40)
    expect(frames.map(({ at }) => at)).toEqual([40])
  })

  it('end when it is closed', () => {
    const { reader, video, hide } = setUp('element')
    reader.close()
    reader.close()
    expect(video.srcObject).toBeNull()
    expect(video.waiting).toBe(0)
    expect(page.listeners.size).toBe(0)
    hide(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('pictures by way of a canvas', () => {
  it('are drawn as often as the track has them, where the browser tells of none', () => {
    const { frames, video } = setUp('canvas')
    expect(video.waiting).toBe(0)
    for (let i = 1; i <= 4; i++) {
      video.pictures = i
      vi.advanceTimersByTime(50)
    }
    expect(frames.map(({ from }) => from)).toEqual(['canvas', 'canvas', 'canvas', 'canvas'])
  })
})
