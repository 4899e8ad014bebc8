import type { MediaProperties } from '../../../moq/media/index.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'

/** What an object was found to hold. */
export interface Opening {
  /** By its stamp, ms of the machine's clock. */
  readonly sentAt: number
  /** Null for sound. */
  readonly media: MediaProperties | null
}

interface Kept {
  readonly group: number
  readonly object: number
  readonly body: Uint8Array
  readonly opening: Opening
}

/** Of one track; watchers of one process are less than this apart. A power of two. */
const SLOTS = 512

/**
 * What watchers of one process who have the same keys need not decrypt each for itself: an object of
 * which every byte is the same as of one that was decrypted holds the same. The generator is to cost
 * less than the relay.
 */
export class SharedOpenings {
  readonly #tracks = new Map<string, TrackOpenings>()

  /** @param track its room, publisher and name */
  of(track: string): TrackOpenings {
    let openings = this.#tracks.get(track)
    if (!openings) {
      openings = new TrackOpenings()
      this.#tracks.set(track, openings)
    }
    return openings
  }
}

/** Of one track. */
export class TrackOpenings {
  readonly #slots: (Kept | undefined)[] = new Array(SLOTS)

  /** Null unless an object with these bytes was kept. */
  find({ group, object, body }: MoqObject): Opening | null {
    const kept = this.#slots[slotOf(group, object)]
    if (!kept || kept.group !== group || kept.object !== object) return null
    return Buffer.compare(kept.body, body) === 0 ? kept.opening : null
  }

  /** It was decrypted. Its bytes are copied. */
  keep({ group, object, body }: MoqObject, opening: Opening): void {
    this.#slots[slotOf(group, object)] = { group, object, body: body.slice(), opening }
  }
}

/** Neighbours, which come together, have slots of their own. */
function slotOf(group: number, object: number): number {
  return ((group % SLOTS) * 31 + object) & (SLOTS - 1)
}
