/**
 * `MediaStreamTrackProcessor`, which gives a track's frames as a stream. Chromium has it in windows and in
 * workers, for sound, too; as the W3C has it, it is for workers and for video alone.
 */

interface TrackProcessor<T> {
  readonly readable: ReadableStream<T>
}
type TrackProcessorType = new <T>(init: {
  track: MediaStreamTrack
  maxBufferSize?: number
}) => TrackProcessor<T>

declare global {
  // Not in TypeScript's library: https://www.w3.org/TR/mediacapture-transform/
  var MediaStreamTrackProcessor: TrackProcessorType | undefined
}

/** Whether this thread, a window or a worker, can read a track by itself. */
export function canReadTracks(): boolean {
  return globalThis.MediaStreamTrackProcessor !== undefined
}

/**
 * The frames of a track, which is of this thread.
 * @throws TypeError where the browser reads no tracks of this kind on this thread
 */
export function readableOf<T>(track: MediaStreamTrack): ReadableStream<T> {
  const { MediaStreamTrackProcessor: Processor } = globalThis
  if (Processor === undefined) throw new TypeError('there is no MediaStreamTrackProcessor')
  // Of pictures only the newest may wait: Chromium keeps ten, and whoever was slow once would be late for good.
  const bound = track.kind === 'video' ? { maxBufferSize: 1 } : {}
  return new Processor<T>({ track, ...bound }).readable
}
