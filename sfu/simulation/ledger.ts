/** What publishers of a simulation have sent, by name and place: the truth that receivers are judged by. */

import { crc32 } from 'node:zlib'
import { type FrameFacts, SentFrame, type SentObject } from './sent-frame.ts'

export class SentTrackLedger {
  readonly name: string
  readonly frames: SentFrame[] = []
  private readonly objects = new Map<number, SentObject>()

  constructor(name: string) {
    this.name = name
  }

  begin(facts: FrameFacts): SentFrame {
    const begun = new SentFrame(facts)
    this.frames.push(begun)
    return begun
  }

  add(frame: SentFrame, group: number, object: number, payload: Uint8Array, stream: boolean): void {
    const sent = { frame, group, object, bytes: payload.length, checksum: crc32(payload), stream }
    frame.objects.push(sent)
    this.objects.set(placeOf(group, object), sent)
  }

  find(group: number, object: number): SentObject | undefined {
    return this.objects.get(placeOf(group, object))
  }
}

function placeOf(group: number, object: number): number {
  return group * 65_536 + object
}
