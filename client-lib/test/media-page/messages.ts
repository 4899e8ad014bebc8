/** What the page of the media test and its worker tell each other. */

import type { AssemblerCounters } from '../../media/assemble.ts'
import type { FrameSource } from '../../media/capture/frame-source.ts'
import type { SampleSource } from '../../media/capture/sample-source.ts'
import type { VideoSettings } from '../../media/video-settings.ts'

export interface Start {
  readonly video: FrameSource
  readonly audio: SampleSource
  /** Port of the playout worklet. */
  readonly samples: MessagePort
  readonly settings: VideoSettings
  /** Share of enhancement datagrams to drop, 0..1. */
  readonly loss: number
}

export type Command =
  | { readonly start: Start }
  | { readonly muted: boolean }
  | { readonly bitrate: number }
  | 'report'
  | 'key-frame'

export interface LoopReport {
  readonly errors: readonly string[]
  /** Temporal layers in the order of encoding; K for a key frame. */
  readonly layers: string
  readonly encoder: { input: number; encoded: number; keyFrames: number; dropped: number }
  readonly droppedDatagrams: number
  readonly datagrams: number
  readonly streamObjects: number
  readonly largestDatagramPayload: number
  readonly assembler: AssemblerCounters
  readonly keyFrameRequests: number
  readonly video: { framesDecoded: number; framesDropped: number; layers: readonly number[] }
  /** Wall-clock age of the newest picture when it was decoded; ms. */
  readonly pictureAgeMs: number
  readonly audio: {
    readonly encoded: number
    readonly framesDecoded: number
    /** Highest RMS seen, 0..1, before encoding and after decoding. */
    readonly inputLevel: number
    readonly outputLevel: number
    readonly lastLevelDbov: number
    readonly samplesDropped: number
    /** Of the encoded frames, in their order; microseconds. */
    readonly timestamps: readonly number[]
  }
}
