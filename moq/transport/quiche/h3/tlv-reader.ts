/**
 * Splits bytes into items of type, length and value, however they arrive: HTTP/3 frames (RFC 9114,
 * Section 7.1) and capsules (RFC 9297, Section 3.2). It holds back no more than one item of a kind
 * that is wanted whole, and no item longer than that kind may be.
 */

import { H3_EXCESSIVE_LOAD, H3Error } from './errors.ts'
import { readVarint, varintLengthFrom } from './varint.ts'

/** Two of the longest integers. */
const MAX_HEADER = 16

export interface TlvHandler {
  /**
   * What to do with an item of this type: `skip` its value, take it in `parts` as they come, or take
   * it whole if it is no longer than the number.
   */
  onType(type: number): 'skip' | 'parts' | number
  onItem(type: number, value: Uint8Array): void
  onPart(type: number, bytes: Uint8Array): void
}

export class TlvReader {
  #handler: TlvHandler
  #header = new Uint8Array(MAX_HEADER)
  #headerLength = 0
  #type = 0
  #left = 0
  #mode: 'header' | 'skip' | 'parts' | 'whole' = 'header'
  #value = new Uint8Array(0)
  #filled = 0

  constructor(handler: TlvHandler) {
    this.#handler = handler
  }

  /** Whether the bytes so far end between two items. */
  get isBetweenItems(): boolean {
    return this.#mode === 'header' && this.#headerLength === 0
  }

  /** @throws H3Error if an item is too long, and what the handler throws */
  push(bytes: Uint8Array): void {
    let offset = 0
    while (offset < bytes.length) {
      if (this.#mode === 'header') {
        this.#header[this.#headerLength++] = bytes[offset++]!
        if (this.#hasHeader()) this.#begin()
        continue
      }
      const part = bytes.subarray(offset, offset + this.#left)
      offset += part.length
      this.#left -= part.length
      this.#take(part)
    }
  }

  #hasHeader(): boolean {
    const typeLength = varintLengthFrom(this.#header[0]!)
    if (this.#headerLength <= typeLength) return false
    return this.#headerLength === typeLength + varintLengthFrom(this.#header[typeLength]!)
  }

  #begin(): void {
    const typeLength = varintLengthFrom(this.#header[0]!)
    this.#type = readVarint(this.#header, 0)
    this.#left = readVarint(this.#header, typeLength)
    this.#headerLength = 0
    const wanted = this.#handler.onType(this.#type)
    if (typeof wanted === 'string') {
      this.#mode = wanted
    } else if (this.#left > wanted) {
      throw new H3Error(H3_EXCESSIVE_LOAD, `an item of type ${this.#type} is ${this.#left} bytes`)
    } else {
      this.#mode = 'whole'
      this.#value = new Uint8Array(this.#left)
      this.#filled = 0
    }
    if (this.#left === 0) this.#end()
  }

  #take(part: Uint8Array): void {
    if (this.#mode === 'parts') {
      this.#handler.onPart(this.#type, part)
    } else if (this.#mode === 'whole') {
      this.#value.set(part, this.#filled)
      this.#filled += part.length
    }
    if (this.#left === 0) this.#end()
  }

  #end(): void {
    const isWhole = this.#mode === 'whole'
    this.#mode = 'header'
    if (isWhole) this.#handler.onItem(this.#type, this.#value)
  }
}
