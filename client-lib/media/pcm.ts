/**
 * Decoded samples on their way from the worker to the playout worklet, over a port of their own. The
 * worklet may be asleep (autoplay policy): what it has not taken is counted and bounded.
 */

export interface PcmChunk {
  /** Wall-clock µs of the first sample. */
  readonly timestamp: number
  /** Hz. */
  readonly sampleRate: number
  /** A plane a channel, -1..1, all of one length. */
  readonly channels: readonly Float32Array<ArrayBuffer>[]
}

/** Chunks that may be on the way: 25 of 20 ms are half a second. */
const MAX_OUTSTANDING = 25

/** The worker's end. The worklet's end answers with the number of chunks it took. */
export class PcmSender {
  readonly counters = { sent: 0, dropped: 0 }
  private readonly port: MessagePort
  private outstanding = 0

  constructor(port: MessagePort) {
    this.port = port
    port.onmessage = (event: MessageEvent<number>) => {
      this.outstanding -= event.data
    }
  }

  /** The chunk's memory goes along: it must not be used afterwards. */
  send(chunk: PcmChunk): void {
    if (this.outstanding >= MAX_OUTSTANDING) {
      this.counters.dropped++
      return
    }
    this.outstanding++
    this.counters.sent++
    this.port.postMessage(
      chunk,
      chunk.channels.map((samples) => samples.buffer),
    )
  }

  close(): void {
    this.port.close()
  }
}
