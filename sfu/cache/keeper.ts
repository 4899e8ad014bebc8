/**
 * Where the bytes of cached objects stay. A body is a view of the chunk in which it came, and a small
 * view keeps a large chunk alive: a body that is less than a quarter of its chunk is copied, so that
 * what the cache holds is at most four times what it counts. Copies are cut from a slab, because many
 * small arrays cost more than the bytes in them; the objects of one slab came one after the other, so
 * they go together too.
 */

const WASTE = 4
const FIRST_SLAB = 2048
const LAST_SLAB = 65_536
/** Larger pieces are arrays of their own: they would leave too much of a slab unused. */
const MAX_PIECE = 8192

export class BodyKeeper {
  private slab: Uint8Array | null = null
  private size = FIRST_SLAB
  private used = 0

  /** The body itself, or a copy of it where it would keep much else alive. */
  keep(body: Uint8Array): Uint8Array {
    if (body.length * WASTE >= body.buffer.byteLength) return body
    if (body.length > MAX_PIECE) return body.slice()
    if (!this.slab || this.used + body.length > this.slab.length) this.grow(body.length)
    const slab = this.slab!
    slab.set(body, this.used)
    const piece = slab.subarray(this.used, this.used + body.length)
    this.used += body.length
    return piece
  }

  /** A track with few objects has a small slab. */
  private grow(need: number): void {
    if (this.slab && this.size < LAST_SLAB) this.size *= 2
    this.slab = new Uint8Array(Math.max(this.size, need))
    this.used = 0
  }
}
