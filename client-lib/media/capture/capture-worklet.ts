/**
 * The audio thread's end of capture, for browsers that cannot read tracks of sound: an
 * `AudioWorkletProcessor` that hands what it hears, in blocks, straight to the worker. It is loaded as a
 * module of its own; its output is silence.
 */

import { SampleBlocks } from './sample-blocks.ts'

declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, type: new () => AudioWorkletProcessor): void
/** Hz, of the context. */
declare const sampleRate: number

export const CAPTURE_PROCESSOR = 'sotto-capture'

/** Samples of a render quantum while there is no input to count. */
const QUANTUM = 128

/** To the worklet: the port on which blocks go, or the end. */
export type CaptureCommand = { readonly blocks: MessagePort } | { readonly end: true }

class CaptureProcessor extends AudioWorkletProcessor {
  private readonly transfer: Transferable[] = []
  private readonly blocks = new SampleBlocks(sampleRate, (block) => {
    this.transfer[0] = block.samples.buffer
    this.to?.postMessage(block, this.transfer)
  })
  private to: MessagePort | null = null
  /** What was heard before the worker listens would only be late. */
  private isWanted = false
  private ended = false

  constructor() {
    super()
    this.port.onmessage = ({ data }: MessageEvent<CaptureCommand>) => this.command(data)
  }

  /** Called by the audio thread for each render quantum; false lets the node go. */
  process(inputs: Float32Array[][]): boolean {
    if (this.isWanted && !this.ended) {
      const samples = inputs[0]?.[0] ?? null
      this.blocks.push(samples, samples?.length ?? QUANTUM, Date.now())
    }
    return !this.ended
  }

  private command(command: CaptureCommand): void {
    if ('end' in command) {
      this.end()
      return
    }
    const port = command.blocks
    this.to = port
    port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer> | 'start' | null>) => {
      if (data === null) this.end()
      else if (data === 'start') this.isWanted = true
      else this.blocks.giveBack(data)
    }
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    this.to?.postMessage(null)
    this.to?.close()
  }
}

registerProcessor(CAPTURE_PROCESSOR, CaptureProcessor)
