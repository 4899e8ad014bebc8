import { VideoView } from '../media/video-view.ts'
import type { PictureSource } from './participant-view.ts'

/** Which canvases show whom. A picture that nobody shows is closed at once. */
export class Pictures {
  private readonly views = new Map<string, Set<VideoView>>()

  attach(participantId: string, source: PictureSource, canvas: HTMLCanvasElement): () => void {
    const view = new VideoView(canvas)
    const key = keyOf(participantId, source)
    const views = this.views.get(key) ?? new Set()
    this.views.set(key, views)
    views.add(view)
    return () => {
      view.close()
      views.delete(view)
      if (views.size === 0) this.views.delete(key)
    }
  }

  /** Takes over the frame. */
  show(participantId: string, source: PictureSource, frame: VideoFrame): void {
    const views = [...(this.views.get(keyOf(participantId, source)) ?? [])]
    views.forEach((view, index) => {
      view.push(index === 0 ? frame : frame.clone())
    })
    if (views.length === 0) frame.close()
  }

  close(): void {
    for (const views of this.views.values()) for (const view of views) view.close()
    this.views.clear()
  }
}

function keyOf(participantId: string, source: PictureSource): string {
  return `${source} ${participantId}`
}
