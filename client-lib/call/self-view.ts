import { type FrameSource, type Tap, tapVideo } from '../media/capture/frame-source.ts'
import { formatOf } from '../media/capture/open.ts'
import type { PlayedFrames } from '../painting/wall.ts'

/** Pixels of the longer side that a tile of our own needs: more is drawn in vain. */
const LONG_SIDE = 640

/** What the camera sees, for our own tile: frames of a copy of the track, not those that are sent. */
export class SelfView {
  /** For whoever draws, in a worker or here; ends with `close`. */
  readonly frames: PlayedFrames
  private readonly track: MediaStreamTrack
  private readonly tap: Tap<FrameSource>

  constructor(camera: MediaStreamTrack) {
    this.track = camera.clone()
    shrink(this.track)
    const { framerate } = formatOf(this.track)
    // The page may draw itself, and reads no track that is meant for a worker.
    this.tap = tapVideo(this.track, { framerate, workerReadsTracks: false })
    this.frames = this.tap
  }

  close(): void {
    this.tap.close()
    this.track.stop()
  }
}

function shrink(track: MediaStreamTrack): void {
  const { width = 0, height = 0 } = track.getSettings()
  const scale = LONG_SIDE / Math.max(width, height)
  if (!(scale < 1)) return
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) }
  // A camera that cannot do it shows all that it gives.
  track.applyConstraints(size).catch(() => {})
}
