import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeCanvas, FakeFrame, FakePage } from './fake-page.ts'
import type { PictureFigures } from './wall.ts'

let page: FakePage
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  page = new FakePage()
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

function openWall() {
  const figures: PictureFigures[] = []
  const firsts: number[] = []
  const { wall, frames } = page.link.openWall({
    onFigures: (some) => figures.push(...some),
    onFirst: (at) => firsts.push(at),
  })
  const show = (picture: string, ms: number) =>
    frames.postMessage({ picture, frame: FakeFrame.of(ms) })
  return { wall, frames, figures, firsts, show }
}

const drawnOn = (canvas: FakeCanvas) => canvas.offscreen?.drawn

describe('the painter', () => {
  it('draws with a repaint the first frame, then the newest that is due, and closes every frame', () => {
    const { wall, show } = openWall()
    const canvas = new FakeCanvas()
    wall.hang('bob', canvas.asCanvas)
    wall.setSoundDelay('bob', 100)
    for (const ms of [0, 33, 66, 99]) show('bob', ms)
    page.repaint(60)
    expect(drawnOn(canvas)).toEqual([0])
    page.repaint(10)
    expect(drawnOn(canvas)).toEqual([0])
    page.repaint(100)
    expect(drawnOn(canvas)).toEqual([0, 66])
    page.repaint(30)
    expect(drawnOn(canvas)).toEqual([0, 66, 99])
    expect(canvas.offscreen).toMatchObject({ width: 320, height: 180 })
    expect(FakeFrame.open).toBe(0)
  })

  it('shows one picture on several canvases, and closes at once what nobody shows', () => {
    const { wall, show } = openWall()
    const [one, two] = [new FakeCanvas(), new FakeCanvas()]
    wall.hang('bob', one.asCanvas)
    const takeDown = wall.hang('bob', two.asCanvas)
    show('bob', 5)
    show('cem', 5)
    expect(FakeFrame.open).toBe(2)
    page.repaint()
    takeDown()
    show('bob', 40)
    page.repaint()
    expect([drawnOn(one), drawnOn(two)]).toEqual([[5, 40], [5]])
    expect(FakeFrame.open).toBe(0)
  })

  it('takes a canvas over once, however often and in however many calls it hangs', () => {
    const canvas = new FakeCanvas()
    const first = openWall()
    first.wall.hang('bob', canvas.asCanvas)()
    first.wall.hang('cem', canvas.asCanvas)
    first.show('bob', 1)
    first.show('cem', 2)
    page.repaint()
    first.wall.close()
    const second = openWall()
    second.wall.hang('dee', canvas.asCanvas)
    second.show('dee', 3)
    page.repaint()
    expect(drawnOn(canvas)).toEqual([2, 3])
    expect(page.told.filter(({ type }) => type === 'canvas')).toHaveLength(1)
    page.collect(0)
    expect(page.told.at(-1)).toEqual({ type: 'forget', id: 0 })
  })

  it('keeps no frame of a call that is over', () => {
    const { wall, show } = openWall()
    const canvas = new FakeCanvas()
    wall.hang('bob', canvas.asCanvas)
    show('bob', 1)
    wall.close()
    expect(FakeFrame.open).toBe(0)
    page.repaint()
    expect(drawnOn(canvas)).toEqual([])
  })

  it('tells twice a second how far pictures are from their sound, but not of a hidden page', () => {
    const { wall, show, figures, firsts } = openWall()
    wall.hang('bob', new FakeCanvas().asCanvas)
    wall.setSoundDelay('bob', 50)
    for (let at = 0; at < 2000; at += 20) {
      show('bob', page.now - 100)
      page.repaint(20)
    }
    expect(firsts).toEqual([0])
    expect(figures.length).toBe(4)
    // Pictures come 100 ms after their timestamp, sound is heard after 50.
    expect(figures.at(-1)).toMatchObject({ picture: 'bob', soundLagMs: 60 })
    expect(figures.at(-1)!.skewMs).toBeGreaterThan(45)
    page.setHidden(true)
    for (let at = 0; at < 2000; at += 20) {
      show('bob', page.now - 100)
      page.now += 20
    }
    expect(figures.length).toBe(4)
  })

  it('looks at a hidden page by a timer, so that frames do not pile up', () => {
    const { wall, show } = openWall()
    const canvas = new FakeCanvas()
    wall.hang('bob', canvas.asCanvas)
    page.setHidden(true)
    for (let i = 0; i < 100; i++) show('bob', i)
    expect(FakeFrame.open).toBe(32)
    page.repaint(1000)
    expect(drawnOn(canvas)).toEqual([])
    vi.advanceTimersByTime(250)
    expect(drawnOn(canvas)).toEqual([99])
    expect(FakeFrame.open).toBe(0)
    show('bob', 101)
    page.setHidden(false)
    page.repaint()
    expect(drawnOn(canvas)).toEqual([99, 101])
  })

  it('plays a stream at once until it ends', async () => {
    const { wall } = openWall()
    const canvas = new FakeCanvas()
    wall.hang('own', canvas.asCanvas)
    const frames = new ReadableStream<VideoFrame>({
      start(stream) {
        for (const ms of [1e6, 2e6]) stream.enqueue(FakeFrame.of(ms))
        stream.close()
      },
    })
    wall.play('own', { source: { way: 'stream', frames }, transfer: [frames] })
    await new Promise((resolve) => setImmediate(resolve))
    page.repaint()
    expect(drawnOn(canvas)).toEqual([2e6])
    expect(FakeFrame.open).toBe(0)
  })
})

describe('a canvas of a page', () => {
  it('is not taken over when it has a context, or is somebody else’s already', () => {
    const [drawnOnAlready, given] = [new FakeCanvas(), new FakeCanvas()]
    drawnOnAlready.getContext()
    given.transferControlToOffscreen()
    expect(page.link.surfaceOf(drawnOnAlready.asCanvas)).toBeNull()
    expect(page.link.surfaceOf(given.asCanvas)).toBeNull()
    expect(page.link.surfaceOf(new FakeCanvas().asCanvas)).not.toBeNull()
  })
})
