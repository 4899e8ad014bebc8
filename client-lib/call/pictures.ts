import type { AudioSource } from '../media/audio-output.ts'
import { Repaints } from '../media/repaints.ts'
import type { PainterLink } from '../painting/painter-link.ts'
import { type PictureFigures, PictureWall, type Wall, type WallEvents } from '../painting/wall.ts'
import type { PictureSource } from './participant-view.ts'
import { SelfView } from './self-view.ts'
import type { Participant, TrackInfo } from './types.ts'
import { pictureName, pictureOfSound, type ToWorker } from './worker-protocol.ts'

export interface PicturesEvents {
  /** For the worker. */
  tell(message: ToWorker, transfer?: Transferable[]): void
  /** The sound that belongs to a picture; null while there is none. */
  soundOf(participantId: string, source: PictureSource): AudioSource | null
  /** The first picture of somebody else's is about to be drawn. @param at as `performance.now()` */
  onFirst(at: number): void
}

/** Who draws: the painter, which is a worker, or where that cannot be, the page's own thread. */
type Place = 'painter' | 'page'

interface Shown {
  readonly participant: string
  readonly source: PictureSource
  /** Canvases that each draws. */
  readonly count: Record<Place, number>
  skewMs: number | null
}

/** What our own camera sees has no sound and comes another way. */
const OWN = 'own'

/** Which canvases show whom. */
export class Pictures {
  private readonly events: PicturesEvents
  private readonly painter: PainterLink
  private readonly repaints = new Repaints(document.hidden)
  private readonly page: PictureWall
  private readonly painted: Wall<HTMLCanvasElement>
  private readonly shown = new Map<string, Shown>()
  private readonly selfViews = new Map<Place, SelfView>()
  private camera: MediaStreamTrack | null = null
  private closed = false
  private readonly visibilityChanged = (): void => {
    this.repaints.hidden = document.hidden
  }

  constructor(painter: PainterLink, events: PicturesEvents) {
    this.events = events
    this.painter = painter
    const wallEvents: WallEvents = {
      onFigures: (figures) => this.onFigures(figures),
      onFirst: (at) => events.onFirst(at),
    }
    this.page = new PictureWall(this.repaints, wallEvents)
    const { wall, frames } = painter.openWall(wallEvents)
    this.painted = wall
    void painter.able.then((able) => {
      if (able && !this.closed) events.tell({ type: 'painter', frames }, [frames])
    })
    document.addEventListener('visibilitychange', this.visibilityChanged)
  }

  /**
   * @param own whether the participant is ourselves
   * @throws TypeError when nothing can be drawn on the canvas
   */
  attach(
    participant: string,
    source: PictureSource,
    canvas: HTMLCanvasElement,
    own: boolean,
  ): () => void {
    if (this.closed) return () => {}
    const name = own && source === 'camera' ? OWN : pictureName(participant, source)
    const hang = <C>(place: Place, wall: Wall<C>, on: C) => {
      const takeDown = wall.hang(name, on)
      this.count(name, { participant, source }, place, 1)
      return () => {
        takeDown()
        this.count(name, { participant, source }, place, -1)
      }
    }
    const surface = this.painter.surfaceOf(canvas)
    let takeDown: (() => void) | null = null
    let gone = false
    if (surface === null) takeDown = hang('page', this.page, canvas)
    else {
      void this.painter.able.then((able) => {
        if (gone || this.closed) return
        takeDown = able ? hang('painter', this.painted, canvas) : hang('page', this.page, surface)
      })
    }
    return () => {
      gone = true
      takeDown?.()
      takeDown = null
    }
  }

  /** Takes over a frame that came from somebody else, for the page's own thread to draw. */
  show(participant: string, source: PictureSource, frame: VideoFrame): void {
    this.page.show(pictureName(participant, source), frame)
  }

  /** Our camera, to be shown to ourselves; null: it is off, or not open. */
  setCamera(camera: MediaStreamTrack | null): void {
    if (this.closed) return
    this.camera = camera
    for (const view of this.selfViews.values()) view.close()
    this.selfViews.clear()
    this.showOwn()
  }

  /**
   * @param source as of `soundSource`
   * @param ms from a timestamp to when its sound is heard, on `performance.now()`; null: no sound
   */
  setSoundDelay(source: string, ms: number | null): void {
    const name = pictureOfSound(source)
    this.page.setSoundDelay(name, ms)
    this.painted.setSoundDelay(name, ms)
  }

  /** What the canvases know of a track. */
  measured(participant: Participant, track: TrackInfo): Pick<TrackInfo, 'avSkewMs'> {
    if (participant.local || (track.kind !== 'video' && track.kind !== 'screen')) return {}
    const source = track.kind === 'screen' ? 'screen' : 'camera'
    const skew = this.shown.get(pictureName(participant.id, source))?.skewMs ?? null
    return { avSkewMs: skew === null ? null : Math.round(skew) }
  }

  close(): void {
    this.setCamera(null)
    this.closed = true
    document.removeEventListener('visibilitychange', this.visibilityChanged)
    this.page.close()
    this.painted.close()
    this.shown.clear()
  }

  /** One canvas more or less. */
  private count(
    name: string,
    { participant, source }: Pick<Shown, 'participant' | 'source'>,
    place: Place,
    by: 1 | -1,
  ): void {
    if (this.closed) return
    const shown = this.shown.get(name) ?? {
      participant,
      source,
      count: { painter: 0, page: 0 },
      skewMs: null,
    }
    this.shown.set(name, shown)
    const { count } = shown
    count[place] += by
    if (count.painter + count.page === 0) this.shown.delete(name)
    // The first, or the last.
    if (count[place] !== (by > 0 ? 1 : 0)) return
    if (name === OWN) this.showOwn()
    else this.showOther(shown)
  }

  private showOther({ participant, source, count }: Shown): void {
    const by = { painter: count.painter > 0, page: count.page > 0 }
    this.events.tell({ type: 'show', participant, source, by })
    // Nothing more to wait for.
    if (!by.painter && !by.page) {
      this.events.soundOf(participant, source)?.delayBy(Number.NEGATIVE_INFINITY)
    }
  }

  private showOwn(): void {
    const count = this.shown.get(OWN)?.count
    for (const place of ['painter', 'page'] as const) {
      const view = this.selfViews.get(place)
      const camera = (count?.[place] ?? 0) > 0 ? this.camera : null
      if (camera && !view) this.playOwn(place, camera)
      if (camera || !view) continue
      view.close()
      this.selfViews.delete(place)
    }
  }

  private playOwn(place: Place, camera: MediaStreamTrack): void {
    const view = new SelfView(camera)
    this.selfViews.set(place, view)
    const wall = place === 'painter' ? this.painted : this.page
    wall.play(OWN, view.frames)
  }

  private onFigures(figures: readonly PictureFigures[]): void {
    for (const { picture, skewMs, soundLagMs } of figures) {
      const shown = this.shown.get(picture)
      if (!shown) continue
      shown.skewMs = skewMs
      if (soundLagMs === null) continue
      this.events.soundOf(shown.participant, shown.source)?.delayBy(soundLagMs)
    }
  }
}
