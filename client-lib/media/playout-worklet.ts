/**
 * The audio thread's end of playout: an `AudioWorkletProcessor` with one jitter buffer. It is loaded
 * as a module of its own and takes samples straight from the worker, over the port it is handed.
 */

import { JitterBuffer, type JitterBufferStats } from './jitter-buffer.ts'
import type { PcmChunk } from './pcm.ts'

declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, type: new () => AudioWorkletProcessor): void
/** Hz, of the context. */
declare const sampleRate: number
/** s, of the context: when the block at hand begins. */
declare const currentTime: number

export const PLAYOUT_PROCESSOR = 'sotto-playout'
const CHANNELS = 2
const REPORT_EVERY_S = 0.5
/** A change of the delay that is told at once. */
const TELL_MS = 4

/** To the worklet: the port on which samples come, by how much sound is to be later, or the end. */
export type PlayoutCommand =
  | { readonly samples: MessagePort }
  /** See `JitterBuffer.delayBy`; ms. */
  | { readonly delayBy: number }
  | { readonly end: true }

/** From the worklet, twice a second of playing and when sound begins, ends or shifts. */
export interface PlayoutReport extends JitterBufferStats {
  /** From a timestamp to its sound, on the context's clock; ms. Null while nothing is played. */
  readonly soundDelayMs: number | null
}

class PlayoutProcessor extends AudioWorkletProcessor {
  private readonly buffer = new JitterBuffer({ sampleRate, channels: CHANNELS })
  private samples: MessagePort | null = null
  private ended = false
  private reportedAt = Number.NEGATIVE_INFINITY
  private reported: number | null = null

  constructor() {
    super()
    this.port.onmessage = (event: MessageEvent<PlayoutCommand>) => this.command(event.data)
  }

  /** Called by the audio thread for each block; false lets the node go. */
  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]
    if (output !== undefined && output.length > 0) {
      this.buffer.pull(output)
      this.report(currentTime + output[0]!.length / sampleRate)
    }
    return !this.ended
  }

  private command(command: PlayoutCommand): void {
    if ('end' in command) {
      this.ended = true
      this.samples?.close()
      return
    }
    if ('delayBy' in command) {
      this.buffer.delayBy(command.delayBy)
      return
    }
    const port = command.samples
    this.samples = port
    port.onmessage = (event: MessageEvent<PcmChunk>) => {
      this.buffer.push(event.data)
      port.postMessage(1)
    }
  }

  /** @param time of the next sample, s */
  private report(time: number): void {
    const { playhead, playing } = this.buffer
    const delay = playhead === null || !playing ? null : time * 1000 - playhead / 1000
    if (time - this.reportedAt < REPORT_EVERY_S && !this.hasChanged(delay)) return
    this.reportedAt = time
    this.reported = delay
    const report: PlayoutReport = { ...this.buffer.stats(), soundDelayMs: delay }
    this.port.postMessage(report)
  }

  private hasChanged(delay: number | null): boolean {
    if (delay === null || this.reported === null) return delay !== this.reported
    return Math.abs(delay - this.reported) > TELL_MS
  }
}

registerProcessor(PLAYOUT_PROCESSOR, PlayoutProcessor)
