import { TRAFFIC, type TrafficClass } from './traffic.ts'

/** Objects and bytes in one direction, by traffic class and by what carried them. */
export class TrafficTally {
  private readonly counts = new Float64Array(2 * TRAFFIC.length)
  private readonly sizes = new Float64Array(2 * TRAFFIC.length)

  /** @param bytes of the payload; of a datagram that is sent, all of it */
  count(traffic: TrafficClass, datagram: boolean, bytes: number): void {
    const at = datagram ? TRAFFIC.length + traffic : traffic
    this.counts[at]!++
    this.sizes[at]! += bytes
  }

  objectsOf(traffic: TrafficClass, datagram: boolean): number {
    return this.counts[datagram ? TRAFFIC.length + traffic : traffic]!
  }

  bytesOf(traffic: TrafficClass, datagram: boolean): number {
    return this.sizes[datagram ? TRAFFIC.length + traffic : traffic]!
  }

  /** Objects of all classes. */
  get objects(): number {
    return total(this.counts)
  }

  /** Bytes of all classes. */
  get bytes(): number {
    return total(this.sizes)
  }
}

function total(numbers: Float64Array): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}
