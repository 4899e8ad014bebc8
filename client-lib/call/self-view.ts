import { readTrack } from '../media/track-reader.ts'

/** Pixels of the longer side that a tile of our own needs: more is drawn in vain, on the main thread. */
const LONG_SIDE = 640

/** What the camera sees, for our own tile: frames of a copy of the track, not those that are sent. */
export class SelfView {
  private readonly track: MediaStreamTrack
  private readonly ended = new AbortController()

  /** @param onFrame takes each frame over */
  constructor(camera: MediaStreamTrack, onFrame: (frame: VideoFrame) => void) {
    const Processor = globalThis.MediaStreamTrackProcessor!
    this.track = camera.clone()
    shrink(this.track)
    const { readable } = new Processor<VideoFrame>({ track: this.track })
    // The stream fails only with its track, which then has no more pictures to show.
    readTrack(readable, onFrame, this.ended.signal).catch(() => {})
  }

  close(): void {
    this.ended.abort()
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
