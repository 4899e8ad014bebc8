/**
 * Frames that have begun to arrive, kept in order of group and number, with their fragments joined
 * when all are there. Bounded by its owner through `size` and `bytes`.
 */

import type { Fragment, FrameMarking, MediaProperties } from '../../moq/media/index.ts'

/** A decrypted object of a video track. */
export interface VideoObject {
  readonly group: number
  readonly object: number
  /** Authenticated properties. */
  readonly media: MediaProperties
  /** Plaintext. Kept as it is, not copied. */
  readonly payload: Uint8Array
}

export interface PendingFrame {
  readonly group: number
  readonly number: number
  readonly marking: FrameMarking
  readonly media: MediaProperties
  /** Id of its first object, and behind its last one. */
  readonly firstObject: number
  readonly endObject: number
  readonly fragments: (Uint8Array | undefined)[]
  missing: number
  /** When the first fragment came; ms. */
  readonly firstAt: number
  /** When it was whole; ms. Null while fragments are missing. */
  completeAt: number | null
}

/** Objects without frame marking: the first of a group is a key frame, the others follow it. */
const plainKey: FrameMarking = marking(true)
const plainDelta: FrameMarking = marking(false)

function marking(independent: boolean): FrameMarking {
  return { start: true, end: true, independent, discardable: false, layer: null }
}

/** Number of the frame in its group; without our property, an object is a frame. */
export function frameNumberOf(object: VideoObject): number {
  return object.media.frame ?? object.object
}

export function markingOf(object: VideoObject): FrameMarking {
  return object.media.frameMarking ?? (object.object === 0 ? plainKey : plainDelta)
}

export class PendingFrames {
  private readonly frames: PendingFrame[] = []
  bytes = 0

  get size(): number {
    return this.frames.length
  }

  [Symbol.iterator](): Iterator<PendingFrame> {
    return this.frames.values()
  }

  /** Adds an object to its frame. */
  add(object: VideoObject, now: number): 'added' | 'duplicate' | 'malformed' {
    const fragment = object.media.fragment ?? { index: 0, count: 1 }
    const frame = this.frameOf(object, fragment, now)
    if (frame.fragments.length !== fragment.count) return 'malformed'
    if (frame.fragments[fragment.index] !== undefined) return 'duplicate'
    frame.fragments[fragment.index] = object.payload
    this.bytes += object.payload.length
    if (--frame.missing === 0) frame.completeAt = now
    return 'added'
  }

  private frameOf(object: VideoObject, { index, count }: Fragment, now: number): PendingFrame {
    const number = frameNumberOf(object)
    // Mostly the newest: search from the end.
    let at = this.frames.length
    while (at > 0 && comparePlace(this.frames[at - 1]!, object.group, number) > 0) at--
    const found = this.frames[at - 1]
    if (found && comparePlace(found, object.group, number) === 0) return found
    const frame: PendingFrame = {
      group: object.group,
      number,
      marking: markingOf(object),
      media: object.media,
      firstObject: object.object - index,
      endObject: object.object - index + count,
      fragments: new Array<Uint8Array | undefined>(count).fill(undefined),
      missing: count,
      firstAt: now,
      completeAt: null,
    }
    this.frames.splice(at, 0, frame)
    return frame
  }

  /** The first whole frame that `accept` takes, in order. */
  firstComplete(accept: (frame: PendingFrame) => boolean): PendingFrame | null {
    for (const frame of this.frames) {
      if (frame.completeAt !== null && accept(frame)) return frame
    }
    return null
  }

  /** Removes frames and calls `removed` for each. */
  remove(which: (frame: PendingFrame) => boolean, removed?: (frame: PendingFrame) => void): void {
    let kept = 0
    for (const frame of this.frames) {
      if (!which(frame)) {
        this.frames[kept++] = frame
        continue
      }
      for (const fragment of frame.fragments) this.bytes -= fragment?.length ?? 0
      removed?.(frame)
    }
    this.frames.length = kept
  }
}

/** The bytes of a whole frame; no copy when it is one object. */
export function joinFragments(frame: PendingFrame): Uint8Array {
  if (frame.fragments.length === 1) return frame.fragments[0]!
  let length = 0
  for (const fragment of frame.fragments) length += fragment!.length
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const fragment of frame.fragments) {
    bytes.set(fragment!, offset)
    offset += fragment!.length
  }
  return bytes
}

function comparePlace(frame: PendingFrame, group: number, number: number): number {
  return frame.group - group || frame.number - number
}
