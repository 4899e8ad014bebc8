import { VideoView } from '../media/video-view.ts'

/** Which canvases show whom. A picture that nobody shows is closed at once. */
export class Pictures {
  private readonly views = new Map<string, Set<VideoView>>()

  attach(participantId: string, canvas: HTMLCanvasElement): () => void {
    const view = new VideoView(canvas)
    const views = this.views.get(participantId) ?? new Set()
    this.views.set(participantId, views)
    views.add(view)
    return () => {
      view.close()
      views.delete(view)
      if (views.size === 0) this.views.delete(participantId)
    }
  }

  /** Takes over the frame. */
  show(participantId: string, frame: VideoFrame): void {
    const views = [...(this.views.get(participantId) ?? [])]
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
