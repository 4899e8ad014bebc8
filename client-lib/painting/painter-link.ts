/**
 * The page's end of the painter. Canvases are handed over once and for all, as a browser has it; that is
 * why the painter outlives the call, whose own worker ends with it.
 */

import type { FromPaintedCall, PainterReady, ToPaintedCall, ToPainter } from './protocol.ts'
import type { PlayedFrames, Wall, WallEvents } from './wall.ts'

export class PainterLink {
  /** Settles once: whether the painter draws. Where it cannot be started or lacks something, it does not. */
  readonly able: Promise<boolean>
  private readonly worker: Worker
  /** Canvases that were taken apart; null: one that could not be. */
  private readonly surfaces = new WeakMap<HTMLCanvasElement, OffscreenCanvas | null>()
  private readonly ids = new WeakMap<HTMLCanvasElement, number>()
  private readonly gone = new FinalizationRegistry<number>((id) =>
    this.tell({ type: 'forget', id }),
  )
  private nextId = 0

  constructor(worker: Worker) {
    this.worker = worker
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.able = promise
    worker.onmessage = ({ data }: MessageEvent<PainterReady>) => resolve(data.able)
    worker.onerror = () => resolve(false)
    const tellHidden = () => this.tell({ type: 'hidden', hidden: document.hidden })
    document.addEventListener('visibilitychange', tellHidden)
    tellHidden()
  }

  /**
   * What of a canvas can be drawn on by any thread: its own wall takes it from here when a picture is hung
   * there. Null where a browser has no such thing, and when the canvas has a context already.
   */
  surfaceOf(canvas: HTMLCanvasElement): OffscreenCanvas | null {
    const known = this.surfaces.get(canvas)
    if (known !== undefined) return known
    const surface = handedOver(canvas)
    this.surfaces.set(canvas, surface)
    return surface
  }

  /** A call's wall at the painter, and the port for who sends frames to it (`PaintedFrame`). */
  openWall(events: WallEvents): {
    readonly wall: Wall<HTMLCanvasElement>
    readonly frames: MessagePort
  } {
    const control = new MessageChannel()
    const frames = new MessageChannel()
    const ports = { control: control.port2, frames: frames.port2 }
    this.tell({ type: 'call', ...ports }, Object.values(ports))
    const wall = new PaintedWall(control.port1, events, (canvas) => this.idOf(canvas))
    return { wall, frames: frames.port1 }
  }

  private idOf(canvas: HTMLCanvasElement): number {
    const known = this.ids.get(canvas)
    if (known !== undefined) return known
    const id = this.nextId++
    const surface = this.surfaceOf(canvas)
    if (surface) this.tell({ type: 'canvas', id, canvas: surface }, [surface])
    this.ids.set(canvas, id)
    this.gone.register(canvas, id)
    return id
  }

  private tell(message: ToPainter, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer)
  }
}

/** Passes on what is to be shown. */
class PaintedWall implements Wall<HTMLCanvasElement> {
  private readonly port: MessagePort
  private readonly idOf: (canvas: HTMLCanvasElement) => number
  private nextView = 0

  constructor(port: MessagePort, events: WallEvents, idOf: (canvas: HTMLCanvasElement) => number) {
    this.port = port
    this.idOf = idOf
    port.onmessage = ({ data }: MessageEvent<FromPaintedCall>) => {
      if (data.type === 'figures') events.onFigures(data.figures)
      else events.onFirst(data.at - performance.timeOrigin)
    }
  }

  hang(picture: string, canvas: HTMLCanvasElement): () => void {
    const view = this.nextView++
    this.tell({ type: 'hang', view, picture, canvas: this.idOf(canvas) })
    return () => this.tell({ type: 'take-down', view })
  }

  play(picture: string, { source, transfer }: PlayedFrames): void {
    this.tell({ type: 'play', picture, source }, transfer)
  }

  setSoundDelay(picture: string, ms: number | null): void {
    this.tell({ type: 'sound', picture, since: ms === null ? null : ms + performance.timeOrigin })
  }

  close(): void {
    this.tell({ type: 'close' })
    this.port.onmessage = null
  }

  private tell(message: ToPaintedCall, transfer: Transferable[] = []): void {
    this.port.postMessage(message, transfer)
  }
}

function handedOver(canvas: HTMLCanvasElement): OffscreenCanvas | null {
  if (!('transferControlToOffscreen' in canvas)) return null
  try {
    return canvas.transferControlToOffscreen()
  } catch {
    // It has a context, or somebody else has it.
    return null
  }
}
