import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AudioSource } from '../media/audio-output.ts'
import { FakeCanvas, FakeFrame, FakePage } from '../painting/fake-page.ts'
import { Pictures } from './pictures.ts'
import type { Participant, TrackInfo } from './types.ts'
import { soundSource, type ToWorker } from './worker-protocol.ts'

let page: FakePage
beforeEach(() => {
  page = new FakePage()
  vi.stubGlobal('MediaStreamTrackProcessor', FakeProcessor)
})
afterEach(() => vi.unstubAllGlobals())

/** Gives one frame. */
class FakeProcessor {
  readonly readable: ReadableStream<VideoFrame>

  constructor({ track }: { track: FakeTrack }) {
    this.readable = new ReadableStream({
      start: (stream) => {
        stream.enqueue(FakeFrame.of(7))
        track.onstop = () => stream.close()
      },
    })
  }
}

class FakeTrack {
  static playing = 0
  onstop = (): void => {}

  clone(): FakeTrack {
    FakeTrack.playing++
    return new FakeTrack()
  }

  getSettings(): object {
    return {}
  }

  stop(): void {
    FakeTrack.playing--
    this.onstop()
  }
}

function open() {
  const told: ToWorker[] = []
  const delays: number[] = []
  const sound = { delayBy: (ms: number) => delays.push(ms) } as unknown as AudioSource
  const pictures = new Pictures(page.link, {
    tell: (message) => told.push(message),
    soundOf: () => sound,
    onFirst: () => {},
  })
  /** What the worker was told of who draws, newest last. */
  const drawers = () => told.flatMap((message) => (message.type === 'show' ? [message.by] : []))
  /** As the worker does. */
  const decode = (ms: number) => {
    const port = told.find((message) => message.type === 'painter')?.frames
    const by = drawers().at(-1)
    if (by?.painter) port?.postMessage({ picture: 'camera bob', frame: FakeFrame.of(ms) })
    if (by?.page) pictures.show('bob', 'camera', FakeFrame.of(ms))
  }
  return { pictures, told, delays, drawers, decode }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

const nobody = { painter: false, page: false }
const bob = { id: 'bob', local: false } as Participant
const video = { kind: 'video' } as TrackInfo

describe('canvases of a call', () => {
  it('are drawn by the painter, which the worker sends frames to', async () => {
    page.answer(true)
    const { pictures, drawers, decode, delays } = open()
    const canvas = new FakeCanvas()
    const detach = pictures.attach('bob', 'camera', canvas.asCanvas, false)
    await settled()
    decode(1)
    page.repaint()
    expect(canvas.offscreen!.drawn).toEqual([1])
    detach()
    detach()
    expect(drawers()).toEqual([{ painter: true, page: false }, nobody])
    expect(delays).toEqual([Number.NEGATIVE_INFINITY])
    expect(FakeFrame.open).toBe(0)
  })

  it('can be given to another participant, and back, in the same moment', async () => {
    page.answer(true)
    const { pictures, told, decode } = open()
    const canvas = new FakeCanvas()
    pictures.attach('bob', 'camera', canvas.asCanvas, false)()
    pictures.attach('cem', 'camera', canvas.asCanvas, false)()
    pictures.attach('bob', 'camera', canvas.asCanvas, false)
    await settled()
    expect(told.filter(({ type }) => type === 'show')).toEqual([
      { type: 'show', participant: 'bob', source: 'camera', by: { painter: true, page: false } },
    ])
    decode(1)
    page.repaint()
    expect(canvas.offscreen!.drawn).toEqual([1])
  })

  it('are drawn by the page when they have a context, beside those of the painter', async () => {
    page.answer(true)
    const { pictures, drawers, decode } = open()
    const [theirs, ours] = [new FakeCanvas(), new FakeCanvas()]
    theirs.getContext()
    pictures.attach('bob', 'camera', theirs.asCanvas, false)
    pictures.attach('bob', 'camera', ours.asCanvas, false)
    await settled()
    expect(drawers()).toEqual([
      { painter: false, page: true },
      { painter: true, page: true },
    ])
    decode(1)
    page.repaint()
    expect([theirs.drawn, ours.offscreen!.drawn]).toEqual([[1], [1]])
    pictures.close()
    expect(FakeFrame.open).toBe(0)
  })

  it('are drawn by the page, all of them, where the painter cannot', async () => {
    const { pictures, told, drawers, decode } = open()
    const canvas = new FakeCanvas()
    pictures.attach('bob', 'camera', canvas.asCanvas, false)
    await settled()
    expect(drawers()).toEqual([])
    page.answer(false)
    await settled()
    expect(drawers()).toEqual([{ painter: false, page: true }])
    expect(told.some(({ type }) => type === 'painter')).toBe(false)
    decode(1)
    page.repaint()
    expect(canvas.offscreen!.drawn).toEqual([1])
  })

  it('are refused at once when nothing can be drawn on them', () => {
    const { pictures } = open()
    const canvas = new FakeCanvas()
    canvas.transferControlToOffscreen()
    expect(() => pictures.attach('bob', 'camera', canvas.asCanvas, false)).toThrow(TypeError)
  })

  it('are kept in step with the sound of the same participant, by the painter and by the page', async () => {
    page.answer(true)
    const { pictures, decode, delays } = open()
    const canvas = new FakeCanvas()
    pictures.attach('bob', 'camera', canvas.asCanvas, false)
    await settled()
    pictures.setSoundDelay(soundSource('bob', 'audio'), 40)
    for (let i = 0; i < 100; i++) {
      decode(page.now - 90)
      page.repaint(20)
    }
    expect(delays.at(-1)).toBe(60)
    expect(pictures.measured(bob, video).avSkewMs).toBeGreaterThan(50)
    pictures.setSoundDelay(soundSource('bob', 'audio'), null)
    for (let i = 0; i < 50; i++) {
      decode(page.now - 90)
      page.repaint(20)
    }
    expect(pictures.measured(bob, video)).toEqual({ avSkewMs: null })
  })

  it('leave nothing behind when the call ends before the painter is there', async () => {
    const { pictures, told } = open()
    pictures.attach('bob', 'camera', new FakeCanvas().asCanvas, false)
    pictures.close()
    page.answer(true)
    await settled()
    expect(told).toEqual([])
  })
})

describe('our own camera', () => {
  beforeEach(() => {
    FakeTrack.playing = 0
  })
  const camera = () => new FakeTrack() as unknown as MediaStreamTrack

  it('is read only while it is on a canvas', async () => {
    page.answer(true)
    const { pictures, drawers } = open()
    pictures.setCamera(camera())
    expect(FakeTrack.playing).toBe(0)
    const canvas = new FakeCanvas()
    const detach = pictures.attach('me', 'camera', canvas.asCanvas, true)
    await settled()
    expect(FakeTrack.playing).toBe(1)
    page.repaint()
    expect(canvas.offscreen!.drawn).toEqual([7])
    // The worker knows nothing of it.
    expect(drawers()).toEqual([])
    detach()
    expect(FakeTrack.playing).toBe(0)
  })

  it('is exchanged for another, and ends with the call', async () => {
    page.answer(true)
    const { pictures } = open()
    const canvas = new FakeCanvas()
    pictures.attach('me', 'camera', canvas.asCanvas, true)
    await settled()
    expect(FakeTrack.playing).toBe(0)
    for (const next of [camera(), camera()]) {
      pictures.setCamera(next)
      await settled()
      page.repaint()
      expect(FakeTrack.playing).toBe(1)
    }
    expect(canvas.offscreen!.drawn).toEqual([7, 7])
    pictures.close()
    expect(FakeTrack.playing).toBe(0)
    expect(FakeFrame.open).toBe(0)
  })
})
