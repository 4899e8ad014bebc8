import type { PaintedFrame } from '../../painting/protocol.ts'
import type { PictureSource } from '../participant-view.ts'
import { pictureName, type ShownBy } from '../worker-protocol.ts'

/** Takes a frame over. */
export type ToPage = (participant: string, source: PictureSource, frame: VideoFrame) => void

/** Where decoded pictures go: to whoever draws them. One that nobody shows is closed at once. */
export class PictureOutlet {
  private readonly toPage: ToPage
  private readonly shown = new Map<string, ShownBy>()
  private painter: MessagePort | null = null

  constructor(toPage: ToPage) {
    this.toPage = toPage
  }

  setPainter(port: MessagePort): void {
    this.painter = port
  }

  setShown(participant: string, source: PictureSource, by: ShownBy): void {
    const name = pictureName(participant, source)
    if (by.painter || by.page) this.shown.set(name, by)
    else this.shown.delete(name)
  }

  /** Takes a frame over. */
  show(participant: string, source: PictureSource, frame: VideoFrame): void {
    const picture = pictureName(participant, source)
    const by = this.shown.get(picture)
    if (by?.page) this.toPage(participant, source, by.painter ? frame.clone() : frame)
    if (by?.painter && this.painter) {
      const painted: PaintedFrame = { picture, frame }
      this.painter.postMessage(painted, [frame])
    } else if (!by?.page) frame.close()
  }
}
