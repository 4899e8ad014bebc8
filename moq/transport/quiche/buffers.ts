/** Memory of the hot path: packets on their way out, and bytes on their way up. */

const SLAB_LENGTH = 64 * 1024

/** A read that finds less room than this in a slab begins a new one. */
const MIN_READ = 4096

/**
 * Hands out fresh memory for what is read. A slab is filled once and never reused, so callbacks may
 * keep their bytes for good; it is freed when the last of them is.
 */
export class ReadSlab {
  #free = new Uint8Array(0)

  /** Room to read into; the same until `take` is called. At least 4096 bytes. */
  get room(): Uint8Array {
    if (this.#free.length < MIN_READ) {
      this.#free = new Uint8Array(Buffer.allocUnsafeSlow(SLAB_LENGTH).buffer)
    }
    return this.#free
  }

  /** Claims the first `length` bytes of `room`. */
  take(length: number): Uint8Array {
    const taken = this.#free.subarray(0, length)
    this.#free = this.#free.subarray(length)
    return taken
  }
}

const SLOT_LENGTH = 1500
const SLOTS = 2048

/**
 * A ring of outgoing packets. A socket may hold a packet until the kernel takes it, so a slot is not
 * written again before half of the ring has gone by; `isBehind` says when the socket holds so much
 * that sending must wait.
 */
export class PacketRing {
  readonly #slots: Uint8Array[] = []
  #next = 0

  constructor() {
    const memory = Buffer.allocUnsafeSlow(SLOTS * SLOT_LENGTH)
    for (let i = 0; i < SLOTS; i++) {
      this.#slots.push(memory.subarray(i * SLOT_LENGTH, (i + 1) * SLOT_LENGTH))
    }
  }

  /** The slot that the next packet is written to. */
  get slot(): Uint8Array {
    return this.#slots[this.#next]!
  }

  /** Moves on: the current slot was handed to the socket. */
  advance(): void {
    this.#next = this.#next + 1 === SLOTS ? 0 : this.#next + 1
  }

  /** @param held packets that the socket still holds */
  isBehind(held: number): boolean {
    return held > SLOTS / 2
  }
}
