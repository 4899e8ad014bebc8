/** The painter's work: canvases that the page handed over, and for each call a wall where they hang. */

import { Repaints } from '../media/repaints.ts'
import type { FromPaintedCall, PaintedFrame, ToPaintedCall, ToPainter } from './protocol.ts'
import { PictureWall } from './wall.ts'

export class Painter {
  private readonly repaints = new Repaints()
  private readonly canvases = new Map<number, OffscreenCanvas>()

  /** @returns whether this thread has what drawing takes */
  static get isAble(): boolean {
    if (typeof requestAnimationFrame !== 'function') return false
    if (typeof OffscreenCanvas !== 'function') return false
    return new OffscreenCanvas(1, 1).getContext('2d') !== null
  }

  take(message: ToPainter): void {
    switch (message.type) {
      case 'call':
        new PaintedCall(this.repaints, this.canvases, message.control, message.frames)
        return
      case 'canvas':
        this.canvases.set(message.id, message.canvas)
        return
      case 'forget':
        this.canvases.delete(message.id)
        return
      case 'hidden':
        this.repaints.hidden = message.hidden
    }
  }
}

class PaintedCall {
  private readonly canvases: ReadonlyMap<number, OffscreenCanvas>
  private readonly control: MessagePort
  private readonly frames: MessagePort
  private readonly wall: PictureWall
  private readonly hanging = new Map<number, () => void>()

  constructor(
    repaints: Repaints,
    canvases: ReadonlyMap<number, OffscreenCanvas>,
    control: MessagePort,
    frames: MessagePort,
  ) {
    this.canvases = canvases
    this.control = control
    this.frames = frames
    this.wall = new PictureWall(repaints, {
      onFigures: (figures) => this.tell({ type: 'figures', figures }),
      onFirst: (at) => this.tell({ type: 'first', at: performance.timeOrigin + at }),
    })
    control.onmessage = ({ data }: MessageEvent<ToPaintedCall>) => this.take(data)
    frames.onmessage = ({ data }: MessageEvent<PaintedFrame>) => {
      this.wall.show(data.picture, data.frame)
    }
  }

  private take(message: ToPaintedCall): void {
    switch (message.type) {
      case 'hang': {
        const canvas = this.canvases.get(message.canvas)
        if (canvas) this.hanging.set(message.view, this.wall.hang(message.picture, canvas))
        return
      }
      case 'take-down':
        this.hanging.get(message.view)?.()
        this.hanging.delete(message.view)
        return
      case 'play':
        this.wall.play(message.picture, message)
        return
      case 'sound': {
        const { since } = message
        this.wall.setSoundDelay(
          message.picture,
          since === null ? null : since - performance.timeOrigin,
        )
        return
      }
      case 'close':
        this.wall.close()
        this.hanging.clear()
        this.control.close()
        this.frames.close()
    }
  }

  private tell(message: FromPaintedCall): void {
    this.control.postMessage(message)
  }
}
