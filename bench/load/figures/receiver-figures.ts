import { CLASS_INDEX, OBJECT_CLASSES, type ObjectClass } from '../media/object-class.ts'
import { Histogram, type HistogramData } from './histogram.ts'
import { addStalls, noStalls, type Stalls } from './stall-watch.ts'

/** What receivers of one label saw in one phase; it crosses between processes. */
export interface ReceiverData {
  /** By class, see `CLASS_INDEX`; each object once. */
  readonly received: readonly number[]
  readonly bytes: readonly number[]
  readonly late: readonly number[]
  readonly duplicate: readonly number[]
  readonly latency: readonly HistogramData[]
  /** Pauses of more than 40 ms between arrivals of sound. */
  readonly audioGaps: Stalls
  /** Times of more than 500 ms without a picture that can be decoded. */
  readonly freezes: Stalls
  /** Pictures that could be decoded. */
  readonly frames: number
  /** Objects that did not decrypt: other bytes than were sent, or a key that is not there. */
  readonly undecryptable: number
}

export class ReceiverFigures {
  readonly audioGaps = noStalls()
  readonly freezes = noStalls()
  frames = 0
  undecryptable = 0
  private readonly received = zeros()
  private readonly bytes = zeros()
  private readonly late = zeros()
  private readonly duplicate = zeros()
  private readonly latency = OBJECT_CLASSES.map(() => new Histogram())

  /** An object came for the first time. @param latencyMs since it was sent */
  arrived(of: ObjectClass, bytes: number, latencyMs: number, late: boolean): void {
    const index = CLASS_INDEX[of]
    this.received[index]!++
    this.bytes[index]! += bytes
    if (late) this.late[index]!++
    this.latency[index]!.record(latencyMs)
  }

  cameAgain(of: ObjectClass): void {
    this.duplicate[CLASS_INDEX[of]]!++
  }

  add(data: ReceiverData): void {
    addAll(this.received, data.received)
    addAll(this.bytes, data.bytes)
    addAll(this.late, data.late)
    addAll(this.duplicate, data.duplicate)
    for (const [index, histogram] of data.latency.entries()) this.latency[index]!.add(histogram)
    addStalls(this.audioGaps, data.audioGaps)
    addStalls(this.freezes, data.freezes)
    this.frames += data.frames
    this.undecryptable += data.undecryptable
  }

  of(name: ObjectClass) {
    const index = CLASS_INDEX[name]
    return {
      received: this.received[index]!,
      bytes: this.bytes[index]!,
      late: this.late[index]!,
      duplicate: this.duplicate[index]!,
      latency: this.latency[index]!,
    }
  }

  toData(): ReceiverData {
    return {
      received: this.received,
      bytes: this.bytes,
      late: this.late,
      duplicate: this.duplicate,
      latency: this.latency.map((histogram) => histogram.toData()),
      audioGaps: this.audioGaps,
      freezes: this.freezes,
      frames: this.frames,
      undecryptable: this.undecryptable,
    }
  }
}

function zeros(): number[] {
  return OBJECT_CLASSES.map(() => 0)
}

function addAll(to: number[], from: readonly number[]): void {
  for (const [index, value] of from.entries()) to[index]! += value
}
