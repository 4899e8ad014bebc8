/**
 * Bytes that quiche keeps of streams that we have ended, until the peer has acknowledged all of a
 * stream. A peer that holds its acknowledgements back makes them grow, whatever its window says.
 * What it keeps of a stream still open is not told; those bytes are in flight, within the window.
 */

import type { NativeConnection } from './binding.ts'

/** Streams found to be unacknowledged still after which a look gives up; one costs 0.2 µs. */
const MAX_VAIN_LOOKS = 32

export class Unacknowledged {
  /** Of all streams. */
  bytes = 0
  #native: NativeConnection
  #streams = new Map<number, number>()
  #scan: Iterator<[number, number]> | null = null

  constructor(native: NativeConnection) {
    this.#native = native
  }

  /** @param id a unidirectional stream of ours whose end was given to quiche */
  add(id: number, bytes: number): void {
    this.#streams.set(id, bytes)
    this.bytes += bytes
  }

  /** Forgets streams that are acknowledged; each is looked at in its turn. */
  look(): void {
    let vain = 0
    for (let left = this.#streams.size; left > 0 && vain < MAX_VAIN_LOOKS; left--) {
      let next = this.#scan?.next()
      if (next === undefined || next.done === true) {
        this.#scan = this.#streams.entries()
        next = this.#scan.next()
        if (next.done === true) return
      }
      const [id, bytes] = next.value
      // quiche forgets a stream of which everything is acknowledged.
      if (this.#native.streamFinished(id)) {
        this.#streams.delete(id)
        this.bytes -= bytes
      } else {
        vain++
      }
    }
  }

  clear(): void {
    this.#streams.clear()
    this.#scan = null
    this.bytes = 0
  }
}
