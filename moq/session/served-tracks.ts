import type { FullTrackName } from '../wire/names.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { Publication } from './publication.ts'
import { TrackIndex } from './track-index.ts'

/** A subscription in which we are the publisher: pending at us, pending at the peer, or established. */
export type Served = IncomingSubscribe | Publication

/** The subscriptions of a session in which we are the publisher: one a track (draft-18 section 5.1). */
export class ServedTracks {
  private readonly byTrack = new TrackIndex<Served>()
  private readonly byRequest = new Map<number, Served>()

  add(served: Served): void {
    this.byTrack.add(served)
    this.byRequest.set(served.requestId, served)
  }

  delete(served: Served): void {
    this.byTrack.delete(served)
    if (this.byRequest.get(served.requestId) === served) this.byRequest.delete(served.requestId)
  }

  has(track: FullTrackName): boolean {
    return this.byTrack.find(track).size > 0
  }

  find(requestId: number): Served | null {
    return this.byRequest.get(requestId) ?? null
  }

  clear(): void {
    this.byTrack.clear()
    this.byRequest.clear()
  }
}
