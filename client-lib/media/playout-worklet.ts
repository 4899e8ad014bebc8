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

export const PLAYOUT_PROCESSOR = 'sotto-playout'
const CHANNELS = 2
const STATS_EVERY_S = 1

/** To the worklet: the port on which samples come, or the end. */
export type PlayoutCommand = { readonly samples: MessagePort } | { readonly end: true }
/** From the worklet, once a second of playing. */
export type PlayoutReport = JitterBufferStats

class PlayoutProcessor extends AudioWorkletProcessor {
  private readonly buffer = new JitterBuffer({ sampleRate, channels: CHANNELS })
  private samples: MessagePort | null = null
  private ended = false
  private untilReport = STATS_EVERY_S * sampleRate

  constructor() {
    super()
    this.port.onmessage = (event: MessageEvent<PlayoutCommand>) => this.command(event.data)
  }

  /** Called by the audio thread for each block; false lets the node go. */
  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]
    if (output !== undefined && output.length > 0) {
      this.buffer.pull(output)
      this.report(output[0]!.length)
    }
    return !this.ended
  }

  private command(command: PlayoutCommand): void {
    if ('end' in command) {
      this.ended = true
      this.samples?.close()
      return
    }
    const port = command.samples
    this.samples = port
    port.onmessage = (event: MessageEvent<PcmChunk>) => {
      this.buffer.push(event.data)
      port.postMessage(1)
    }
  }

  private report(played: number): void {
    this.untilReport -= played
    if (this.untilReport > 0) return
    this.untilReport += STATS_EVERY_S * sampleRate
    const report: PlayoutReport = this.buffer.stats()
    this.port.postMessage(report)
  }
}

registerProcessor(PLAYOUT_PROCESSOR, PlayoutProcessor)
