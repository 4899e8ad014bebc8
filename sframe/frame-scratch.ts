/**
 * The nonce and the associated data of the frame in hand, header || metadata (RFC 9605 section
 * 4.4.3), in memory that a context uses for every frame. Providers copy what they need for longer.
 */
export class FrameScratch {
  readonly nonce = new Uint8Array(12)
  #buffer = new Uint8Array(256)
  #aad = this.#buffer

  /** header || metadata, where the header is the first `headerLength` bytes of `frame`. */
  aad(frame: Uint8Array, headerLength: number, metadata: Uint8Array): Uint8Array {
    const length = headerLength + metadata.length
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length * 2)
    const buffer = this.#buffer
    for (let index = 0; index < headerLength; index++) buffer[index] = frame[index] ?? 0
    buffer.set(metadata, headerLength)
    // Metadata mostly keeps its length, and then the view of the last frame fits.
    if (this.#aad.length !== length || this.#aad.buffer !== buffer.buffer) {
      this.#aad = buffer.subarray(0, length)
    }
    return this.#aad
  }
}
