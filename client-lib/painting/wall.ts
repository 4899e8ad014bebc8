/** Pictures on canvases, in step with their sound. */

import { type FrameSource, framesOf, type Tap } from '../media/capture/frame-source.ts'
import { PictureClock } from '../media/picture-clock.ts'
import type { Repaints } from '../media/repaints.ts'
import { readTrack } from '../media/track-reader.ts'
import { VideoView } from '../media/video-view.ts'

/** What is known of a picture that is shown, of late. */
export interface PictureFigures {
  /** Its name on the wall. */
  readonly picture: string
  /** As of `PictureClock`, ms. */
  readonly skewMs: number | null
  /** As of `PictureClock`, ms. */
  readonly soundLagMs: number | null
}

export interface WallEvents {
  /** Told twice a second, of all that is shown, while pictures come and the page is to be seen. */
  onFigures(figures: readonly PictureFigures[]): void
  /** The first picture of somebody else's is there to be drawn. @param at as `performance.now()` */
  onFirst(at: number): void
}

/** Frames of a track that is tapped. */
export type PlayedFrames = Pick<Tap<FrameSource>, 'source' | 'transfer'>

/** Where canvases hang, on this thread or another; `C` is how a canvas is given to it. */
export interface Wall<C> {
  /**
   * Shows a picture on a canvas, beside others of the same, until the returned function is called.
   * @param picture its name: any that tells it apart
   */
  hang(picture: string, canvas: C): () => void
  /** Shows what comes of a source, at once, until it ends; the source is taken over. */
  play(picture: string, frames: PlayedFrames): void
  /** @param ms from a timestamp to when its sound is heard, on the thread that says it; null: no sound */
  setSoundDelay(picture: string, ms: number | null): void
  close(): void
}

interface Shown {
  readonly clock: PictureClock
  readonly views: Set<VideoView>
}

const TELL_EVERY_MS = 500

/** The canvases that this thread draws. A picture that nobody shows is closed at once. */
export class PictureWall implements Wall<HTMLCanvasElement | OffscreenCanvas> {
  private readonly repaints: Repaints
  private readonly events: WallEvents
  private readonly shown = new Map<string, Shown>()
  private readonly soundDelays = new Map<string, number>()
  private readonly closing = new AbortController()
  private toldAt = Number.NEGATIVE_INFINITY
  private hasBegun = false

  constructor(repaints: Repaints, events: WallEvents) {
    this.repaints = repaints
    this.events = events
  }

  /** @throws TypeError as of `VideoView` */
  hang(picture: string, canvas: HTMLCanvasElement | OffscreenCanvas): () => void {
    const shown = this.shown.get(picture) ?? this.begin(picture)
    const view = new VideoView(canvas, this.repaints, shown.clock)
    this.shown.set(picture, shown)
    shown.views.add(view)
    return () => {
      view.close()
      shown.views.delete(view)
      if (shown.views.size === 0 && this.shown.get(picture) === shown) this.shown.delete(picture)
    }
  }

  /** Takes a frame over: shows it when its sound is heard. */
  show(picture: string, frame: VideoFrame): void {
    const shown = this.shown.get(picture)
    if (shown) {
      const now = performance.now()
      shown.clock.arrived(frame.timestamp, now)
      if (!this.hasBegun) this.events.onFirst(now)
      this.hasBegun = true
      this.tell(now)
    }
    draw(shown, frame)
  }

  play(picture: string, { source }: Pick<PlayedFrames, 'source'>): void {
    const onFrame = (frame: VideoFrame) => draw(this.shown.get(picture), frame)
    // A stream fails only with its track, which then has no more pictures to show.
    readTrack(framesOf(source), onFrame, this.closing.signal).catch(() => {})
  }

  setSoundDelay(picture: string, ms: number | null): void {
    if (ms === null) this.soundDelays.delete(picture)
    else this.soundDelays.set(picture, ms)
  }

  close(): void {
    this.closing.abort()
    for (const { views } of this.shown.values()) for (const view of views) view.close()
    this.shown.clear()
    this.soundDelays.clear()
  }

  private begin(picture: string): Shown {
    const clock = new PictureClock(() => this.soundDelays.get(picture) ?? null)
    return { clock, views: new Set() }
  }

  private tell(now: number): void {
    if (now - this.toldAt < TELL_EVERY_MS || this.repaints.hidden) return
    this.toldAt = now
    this.events.onFigures(
      [...this.shown].map(([picture, { clock }]) => ({
        picture,
        skewMs: clock.skewMs,
        soundLagMs: clock.soundLagMs,
      })),
    )
  }
}

function draw(shown: Shown | undefined, frame: VideoFrame): void {
  const views = [...(shown?.views ?? [])]
  views.forEach((view, index) => {
    view.push(index === 0 ? frame : frame.clone())
  })
  if (views.length === 0) frame.close()
}
