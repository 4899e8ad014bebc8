/** Stand-ins, for vitest, for what a page and its painter draw with: canvases, frames, repaints, ports. */

import { vi } from 'vitest'
import { Painter } from './painter.ts'
import { PainterLink } from './painter-link.ts'
import type { ToPainter } from './protocol.ts'

export class FakeFrame {
  /** Of all that were made since `FakePage` began and not closed. */
  static open = 0
  readonly timestamp: number
  readonly displayWidth = 320
  readonly displayHeight = 180
  private isClosed = false

  /** @param ms of its timestamp */
  constructor(ms: number) {
    this.timestamp = ms * 1000
    FakeFrame.open++
  }

  static of(ms: number): VideoFrame {
    return new FakeFrame(ms) as unknown as VideoFrame
  }

  clone(): FakeFrame {
    return new FakeFrame(this.timestamp / 1000)
  }

  close(): void {
    if (!this.isClosed) FakeFrame.open--
    this.isClosed = true
  }
}

/** Either kind of surface: remembers the timestamps, ms, of what was drawn on it. */
class FakeSurface {
  width = 300
  height = 150
  readonly drawn: number[] = []
  private readonly context = {
    canvas: this,
    drawImage: ({ timestamp }: FakeFrame) => this.drawn.push(timestamp / 1000),
  }

  getContext(): object | null {
    return this.context
  }
}

/** A canvas of a page. */
export class FakeCanvas extends FakeSurface {
  offscreen: FakeSurface | null = null
  hasContext = false

  override getContext(): object | null {
    if (this.offscreen) throw new Error('InvalidStateError')
    this.hasContext = true
    return super.getContext()
  }

  transferControlToOffscreen(): FakeSurface {
    if (this.offscreen || this.hasContext) throw new Error('InvalidStateError')
    this.offscreen = new FakeSurface()
    return this.offscreen
  }

  get asCanvas(): HTMLCanvasElement {
    return this as unknown as HTMLCanvasElement
  }
}

/** Delivers at once, and what is transferred as it is. */
class FakePort {
  other: FakePort | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  isClosed = false

  postMessage(data: unknown): void {
    if (!this.isClosed) this.other?.onmessage?.({ data })
  }

  close(): void {
    this.isClosed = true
  }
}

class FakeChannel {
  readonly port1 = new FakePort()
  readonly port2 = new FakePort()

  constructor() {
    this.port1.other = this.port2
    this.port2.other = this.port1
  }
}

/** A page with a painter in the same thread; to be undone by `vi.unstubAllGlobals`. */
export class FakePage {
  now = 0
  readonly document = Object.assign(new EventTarget(), { hidden: false })
  readonly told: ToPainter[] = []
  readonly link: PainterLink
  /** The painter has loaded. */
  readonly answer: (able: boolean) => void
  private tasks: (() => void)[] = []
  private forget: (id: number) => void = () => {}

  constructor() {
    FakeFrame.open = 0
    vi.stubGlobal('document', this.document)
    vi.stubGlobal('MessageChannel', FakeChannel)
    vi.stubGlobal('OffscreenCanvas', FakeSurface)
    vi.stubGlobal('requestAnimationFrame', (task: () => void) => this.tasks.push(task))
    vi.stubGlobal('cancelAnimationFrame', (number: number) => {
      this.tasks[number - 1] = () => {}
    })
    vi.stubGlobal('performance', { now: () => this.now, timeOrigin: 1e12 })
    const onForget = (forget: (id: number) => void) => {
      this.forget = forget
    }
    vi.stubGlobal(
      'FinalizationRegistry',
      class {
        constructor(forget: (id: number) => void) {
          onForget(forget)
        }
        register(): void {}
      },
    )
    const painter = new Painter()
    const worker = {
      onmessage: (_event: { data: unknown }) => {},
      onerror: () => {},
      postMessage: (message: ToPainter) => {
        this.told.push(message)
        painter.take(message)
      },
    }
    this.link = new PainterLink(worker as unknown as Worker)
    this.answer = (able) => worker.onmessage({ data: { able } })
  }

  /** Time passes, with a repaint at its end. */
  repaint(ms = 16): void {
    this.now += ms
    const due = this.tasks
    this.tasks = []
    for (const task of due) task()
  }

  setHidden(hidden: boolean): void {
    this.document.hidden = hidden
    this.document.dispatchEvent(new Event('visibilitychange'))
  }

  /** The page has no such canvas any more. @param id in the order of handing over */
  collect(id: number): void {
    this.forget(id)
  }
}
