import { readTrack } from '../media/track-reader.ts'

/** What the camera sees, for our own tile: frames of a copy of the track, not those that are sent. */
export class SelfView {
  private readonly track: MediaStreamTrack
  private readonly ended = new AbortController()

  /** @param onFrame takes each frame over */
  constructor(camera: MediaStreamTrack, onFrame: (frame: VideoFrame) => void) {
    const Processor = globalThis.MediaStreamTrackProcessor!
    this.track = camera.clone()
    const { readable } = new Processor<VideoFrame>({ track: this.track })
    // The stream fails only with its track, which then has no more pictures to show.
    readTrack(readable, onFrame, this.ended.signal).catch(() => {})
  }

  close(): void {
    this.ended.abort()
    this.track.stop()
  }
}
