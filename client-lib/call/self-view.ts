/** Pixels of the longer side that a tile of our own needs: more is drawn in vain. */
const LONG_SIDE = 640

/** What the camera sees, for our own tile: frames of a copy of the track, not those that are sent. */
export class SelfView {
  /** Transferable to a worker; ends with `close`. Whoever reads it closes the frames. */
  readonly frames: ReadableStream<VideoFrame>
  private readonly track: MediaStreamTrack

  constructor(camera: MediaStreamTrack) {
    const Processor = globalThis.MediaStreamTrackProcessor!
    this.track = camera.clone()
    shrink(this.track)
    this.frames = new Processor<VideoFrame>({ track: this.track }).readable
  }

  close(): void {
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
