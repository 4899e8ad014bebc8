import { crc32 } from 'node:zlib'
import type { SentTrackLedger } from './ledger.ts'
import type { SentFrame, SentObject } from './sent-frame.ts'

/** A frame as far as it came. */
interface Arrival {
  /** Objects that arrived. */
  arrived: number
  /** When it could be decoded, ms; Infinity: not yet. */
  decodedAt: number
}

export interface ArrivedObject {
  readonly object: SentObject
  /** ms. */
  readonly at: number
}

/** A subscription, judged by what its publisher sent: bytes, delays, and what can be decoded. */
export class ReceivedTrack {
  readonly publisher: string
  readonly ledger: SentTrackLedger
  readonly objects: ArrivedObject[] = []
  /** Places whose bytes are not those that were sent, or that came twice. */
  readonly wrong: string[] = []
  private readonly seen = new Set<SentObject>()
  private readonly frames = new Map<SentFrame, Arrival>()
  private readonly waiting = new Map<SentFrame, SentFrame[]>()
  private readonly onDecoded: (frame: SentFrame) => void

  constructor(
    publisher: string,
    ledger: SentTrackLedger,
    onDecoded: (frame: SentFrame) => void = () => {},
  ) {
    this.publisher = publisher
    this.ledger = ledger
    this.onDecoded = onDecoded
  }

  has(object: SentObject): boolean {
    return this.seen.has(object)
  }

  onObject(group: number, id: number, payload: Uint8Array, now: number): void {
    const object = this.ledger.find(group, id)
    if (!object || object.checksum !== crc32(payload) || this.seen.has(object)) {
      this.wrong.push(`${this.ledger.name} ${group}/${id}`)
      return
    }
    this.seen.add(object)
    this.objects.push({ object, at: now })
    const { frame } = object
    const arrival = this.arrivalOf(frame)
    arrival.arrived++
    if (arrival.arrived === frame.objects.length) this.whole(frame, now)
  }

  private arrivalOf(frame: SentFrame): Arrival {
    let arrival = this.frames.get(frame)
    if (!arrival) {
      arrival = { arrived: 0, decodedAt: Number.POSITIVE_INFINITY }
      this.frames.set(frame, arrival)
    }
    return arrival
  }

  private whole(frame: SentFrame, now: number): void {
    const { reference } = frame
    if (reference && !this.isDecoded(reference)) {
      const others = this.waiting.get(reference)
      if (others) others.push(frame)
      else this.waiting.set(reference, [frame])
      return
    }
    this.arrivalOf(frame).decodedAt = now
    this.onDecoded(frame)
    const next = this.waiting.get(frame) ?? []
    this.waiting.delete(frame)
    for (const other of next) this.whole(other, now)
  }

  private isDecoded(frame: SentFrame): boolean {
    return (
      (this.frames.get(frame)?.decodedAt ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY
    )
  }
}
