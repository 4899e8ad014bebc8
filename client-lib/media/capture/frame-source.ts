/**
 * A camera's or screen's pictures on their way to the worker, in whichever way the browser has: by features
 * that it shows, not by its name.
 */

import { ElementFrames, tellsOfPictures } from './element-frames.ts'
import { FrameSender, framesFrom } from './frame-port.ts'
import { canReadTracks, readableOf } from './track-processor.ts'

/** What is transferred to the worker. */
export type FrameSource =
  /** The page reads tracks, and gives its stream away (Chromium). */
  | { readonly way: 'stream'; readonly frames: ReadableStream<VideoFrame> }
  /** The worker reads tracks (Safari, as the W3C has it). */
  | { readonly way: 'track'; readonly track: MediaStreamTrack }
  /** Nobody reads tracks: the page takes pictures from a `<video>`; see `frame-port.ts`. */
  | { readonly way: 'port'; readonly port: MessagePort }

/** A track that is read for the worker. Closing it ends the reading; the track is its owner's. */
export interface Tap<Source> {
  readonly source: Source
  /** What of the source is transferred with it. */
  readonly transfer: Transferable[]
  close(): void
}

export interface VideoTapOptions {
  /** Frames a second that the track gives, or more. */
  readonly framerate: number
  /** Whether the worker can read a track that it is given. */
  readonly workerReadsTracks: boolean
}

/** The page's end. */
export function tapVideo(track: MediaStreamTrack, options: VideoTapOptions): Tap<FrameSource> {
  if (canReadTracks()) {
    const frames = readableOf<VideoFrame>(track)
    return { source: { way: 'stream', frames }, transfer: [frames], close: () => {} }
  }
  if (options.workerReadsTracks && isTransferable(track)) {
    const given = track.clone()
    const source = { way: 'track', track: given } as const
    // TypeScript's library does not know yet that tracks can be transferred.
    return { source, transfer: [given as unknown as Transferable], close: () => {} }
  }
  const { port1, port2 } = new MessageChannel()
  const sender = new FrameSender(port1, () => pictures.close())
  const onFrame = (frame: VideoFrame) => sender.push(frame)
  const pictures = picturesOf(track, options.framerate, onFrame)
  return {
    source: { way: 'port', port: port2 },
    transfer: [port2],
    close() {
      pictures.close()
      sender.close()
    },
  }
}

/** The worker's end: cancelling the stream ends the reading, and lets go of a track that was given. */
export function framesOf(source: FrameSource): ReadableStream<VideoFrame> {
  switch (source.way) {
    case 'stream':
      return source.frames
    case 'track':
      return readGiven(source.track)
    case 'port':
      return framesFrom(source.port)
  }
}

function picturesOf(
  track: MediaStreamTrack,
  framerate: number,
  onFrame: (frame: VideoFrame) => void,
): ElementFrames {
  const way = tellsOfPictures() ? 'element' : 'canvas'
  return new ElementFrames({ track, framerate, way, onFrame })
}

/** Browsers that transfer no tracks say so when they are asked to. */
function isTransferable(track: MediaStreamTrack): boolean {
  const copy = track.clone()
  try {
    structuredClone(copy, { transfer: [copy as unknown as Transferable] }).stop()
    return true
  } catch {
    copy.stop()
    return false
  }
}

/** The worker owns the track: nobody else can stop it, and while it goes on, the camera's lamp does. */
function readGiven(track: MediaStreamTrack): ReadableStream<VideoFrame> {
  const reader = readableOf<VideoFrame>(track).getReader()
  let isCancelled = false
  return new ReadableStream<VideoFrame>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (isCancelled) value?.close()
        else if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        isCancelled = true
        track.stop()
        await reader.cancel()
      },
    },
    // A frame that waits in a queue gets old: it is asked for when it is read.
    { highWaterMark: 0 },
  )
}
