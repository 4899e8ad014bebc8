import { describe, expect, it } from 'vitest'
import type { PaintedFrame } from '../../painting/protocol.ts'
import { PictureOutlet } from './picture-outlet.ts'

/** Counts what is open, whoever has it. */
function world() {
  const counts = { open: 0 }
  const toPage: string[] = []
  const toPainter: string[] = []
  const makeFrame = (): VideoFrame => {
    counts.open++
    const frame = { clone: makeFrame, close: () => counts.open-- }
    return frame as unknown as VideoFrame
  }
  const take = (frame: VideoFrame) => frame.close()
  const outlet = new PictureOutlet((participant, source, frame) => {
    toPage.push(`${source} ${participant}`)
    take(frame)
  })
  const port = {
    postMessage({ picture, frame }: PaintedFrame, [transferred]: VideoFrame[]) {
      expect(transferred).toBe(frame)
      toPainter.push(picture)
      take(frame)
    },
  } as unknown as MessagePort
  return { outlet, port, counts, toPage, toPainter, makeFrame }
}

describe('decoded pictures', () => {
  it('go to whoever draws them, each its own, and are closed when nobody does', () => {
    const { outlet, port, counts, toPage, toPainter, makeFrame } = world()
    outlet.setPainter(port)
    const show = () => outlet.show('bob', 'camera', makeFrame())
    show()
    outlet.setShown('bob', 'camera', { painter: true, page: false })
    show()
    outlet.setShown('bob', 'camera', { painter: true, page: true })
    show()
    outlet.setShown('bob', 'camera', { painter: false, page: true })
    show()
    outlet.show('bob', 'screen', makeFrame())
    outlet.setShown('bob', 'camera', { painter: false, page: false })
    show()
    expect(toPainter).toEqual(['camera bob', 'camera bob'])
    expect(toPage).toEqual(['camera bob', 'camera bob'])
    expect(counts.open).toBe(0)
  })

  it('are not kept for a painter that is not there', () => {
    const { outlet, counts, makeFrame } = world()
    outlet.setShown('bob', 'camera', { painter: true, page: false })
    outlet.show('bob', 'camera', makeFrame())
    expect(counts.open).toBe(0)
  })
})
