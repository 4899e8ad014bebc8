import type { AudioSource } from '../media/audio-output.ts'
import { PictureClock } from '../media/picture-clock.ts'
import { VideoView } from '../media/video-view.ts'
import type { PictureSource } from './participant-view.ts'
import type { Participant, TrackInfo } from './types.ts'

/** The sound that belongs to a picture; null while there is none. */
export type SoundOf = (participantId: string, source: PictureSource) => AudioSource | null

interface Shown {
  readonly clock: PictureClock
  readonly views: Set<VideoView>
  toldAt: number
}

/** How often sound is told to wait for a picture, ms. */
const TELL_EVERY_MS = 500

/** Which canvases show whom, in step with the sound. A picture that nobody shows is closed at once. */
export class Pictures {
  private readonly soundOf: SoundOf
  private readonly shown = new Map<string, Shown>()

  constructor(soundOf: SoundOf) {
    this.soundOf = soundOf
  }

  attach(participantId: string, source: PictureSource, canvas: HTMLCanvasElement): () => void {
    const key = keyOf(participantId, source)
    const shown = this.shown.get(key) ?? this.makeShown(participantId, source)
    const view = new VideoView(canvas, shown.clock)
    this.shown.set(key, shown)
    shown.views.add(view)
    return () => {
      view.close()
      shown.views.delete(view)
      if (shown.views.size > 0 || this.shown.get(key) !== shown) return
      this.shown.delete(key)
      // Nothing more to wait for.
      this.soundOf(participantId, source)?.delayBy(Number.NEGATIVE_INFINITY)
    }
  }

  /** Takes over a frame that came from somebody else. */
  show(participantId: string, source: PictureSource, frame: VideoFrame): void {
    const shown = this.shown.get(keyOf(participantId, source))
    if (shown) {
      const now = performance.now()
      shown.clock.arrived(frame.timestamp, now)
      this.tellSound(participantId, source, shown, now)
    }
    draw(shown, frame)
  }

  /** Takes over a frame of our own camera: it is shown at once. */
  showOwn(participantId: string, frame: VideoFrame): void {
    draw(this.shown.get(keyOf(participantId, 'camera')), frame)
  }

  /** What the canvases know of a track. */
  measured(participant: Participant, track: TrackInfo): Pick<TrackInfo, 'avSkewMs'> {
    if (participant.local || (track.kind !== 'video' && track.kind !== 'screen')) return {}
    const source = track.kind === 'screen' ? 'screen' : 'camera'
    const skew = this.shown.get(keyOf(participant.id, source))?.clock.skewMs ?? null
    return { avSkewMs: skew === null ? null : Math.round(skew) }
  }

  close(): void {
    for (const { views } of this.shown.values()) for (const view of views) view.close()
    this.shown.clear()
  }

  private makeShown(participantId: string, source: PictureSource): Shown {
    const sound = () => this.soundOf(participantId, source)?.soundDelayMs ?? null
    return { clock: new PictureClock(sound), views: new Set(), toldAt: 0 }
  }

  private tellSound(id: string, source: PictureSource, shown: Shown, now: number): void {
    if (now - shown.toldAt < TELL_EVERY_MS || document.hidden) return
    const lag = shown.clock.soundLagMs
    if (lag === null) return
    shown.toldAt = now
    this.soundOf(id, source)?.delayBy(lag)
  }
}

function draw(shown: Shown | undefined, frame: VideoFrame): void {
  const views = [...(shown?.views ?? [])]
  views.forEach((view, index) => {
    view.push(index === 0 ? frame : frame.clone())
  })
  if (views.length === 0) frame.close()
}

function keyOf(participantId: string, source: PictureSource): string {
  return `${source} ${participantId}`
}
