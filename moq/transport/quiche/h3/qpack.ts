/**
 * Header sections (RFC 9204) without a dynamic table, which our SETTINGS forbid: every field section
 * stands for itself. Strings are written plain; Huffman is only read.
 */

import { H3_EXCESSIVE_LOAD, H3Error, QPACK_DECOMPRESSION_FAILED } from './errors.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_TABLE } from './static-table.ts'

export type Field = readonly [name: string, value: string]

const MAX_FIELDS = 128

/** Most bytes of names and values in one section, after decoding. */
const MAX_SECTION = 32 * 1024

/**
 * Decodes a field section.
 * @throws H3Error if it is malformed, refers to a dynamic table or is unreasonably large
 */
export function decodeFields(bytes: Uint8Array): Field[] {
  const reader = new FieldReader(bytes)
  const requiredInsertCount = reader.integer(8)
  reader.integer(7)
  if (requiredInsertCount !== 0) throw failed('a field section needs a dynamic table')
  const fields: Field[] = []
  let size = 0
  while (!reader.isDone) {
    const field = decodeField(reader)
    size += field[0].length + field[1].length
    if (fields.push(field) > MAX_FIELDS || size > MAX_SECTION) {
      throw new H3Error(H3_EXCESSIVE_LOAD, 'a field section is too large')
    }
  }
  return fields
}

/** One field line (RFC 9204, Sections 4.5.2 to 4.5.6). */
function decodeField(reader: FieldReader): Field {
  const first = reader.peek()
  if ((first & 0x80) !== 0) {
    if ((first & 0x40) === 0) throw failed('a field refers to a dynamic table')
    return staticField(reader.integer(6))
  }
  if ((first & 0x40) !== 0) {
    if ((first & 0x10) === 0) throw failed('a field name refers to a dynamic table')
    const [name] = staticField(reader.integer(4))
    return [name, reader.string(7)]
  }
  if ((first & 0x20) === 0) throw failed('a field refers to a dynamic table')
  const name = reader.string(3)
  return [name, reader.string(7)]
}

function staticField(index: number): Field {
  const field = STATIC_TABLE[index]
  if (field === undefined) throw failed(`the static table has no entry ${index}`)
  return field
}

class FieldReader {
  #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isDone(): boolean {
    return this.#offset === this.#bytes.length
  }

  peek(): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw failed('a field section is cut off')
    return byte
  }

  #next(): number {
    const byte = this.peek()
    this.#offset++
    return byte
  }

  /** An integer whose first byte has `prefix` bits for it (RFC 7541, Section 5.1). */
  integer(prefix: number): number {
    const mask = 2 ** prefix - 1
    let value = this.#next() & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#next()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) return value
    }
    throw failed('an integer is too large')
  }

  /** A string whose length has `prefix` bits, with the Huffman flag in front of them. */
  string(prefix: number): string {
    const isHuffman = (this.peek() & (2 ** prefix)) !== 0
    const length = this.integer(prefix)
    const end = this.#offset + length
    if (end > this.#bytes.length) throw failed('a string is cut off')
    const bytes = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return isHuffman ? decodeHuffman(bytes) : latin1(bytes)
  }
}

/** Encodes a field section; names and values are ASCII, names in lower case. */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  const out: number[] = [0, 0]
  for (const [name, value] of fields) {
    const index = STATIC_TABLE.findIndex((field) => field[0] === name && field[1] === value)
    if (index !== -1) {
      putInteger(out, index, 6, 0xc0)
      continue
    }
    const named = STATIC_TABLE.findIndex((field) => field[0] === name)
    if (named !== -1) putInteger(out, named, 4, 0x50)
    else putString(out, name, 3, 0x20)
    putString(out, value, 7, 0)
  }
  return Uint8Array.from(out)
}

function putInteger(out: number[], value: number, prefix: number, flags: number): void {
  const mask = 2 ** prefix - 1
  if (value < mask) {
    out.push(flags | value)
    return
  }
  out.push(flags | mask)
  let rest = value - mask
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest & 0x7f) | 0x80)
  out.push(rest)
}

function putString(out: number[], text: string, prefix: number, flags: number): void {
  putInteger(out, text.length, prefix, flags)
  for (let i = 0; i < text.length; i++) out.push(text.charCodeAt(i) & 0xff)
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function failed(message: string): H3Error {
  return new H3Error(QPACK_DECOMPRESSION_FAILED, message)
}
