/**
 * The Huffman code of header strings (RFC 7541, Section 5.2 and Appendix B). The code is canonical:
 * the lengths alone define it.
 */

import { H3Error, QPACK_DECOMPRESSION_FAILED } from './errors.ts'

/** Length in bits of each symbol's code; the last is the end of the string, which never appears. */
// biome-ignore format: a table
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]
const END_OF_STRING = 256

/** A node is a pair of entries: the next node's index if positive, a symbol if negative (~symbol). */
const TREE = buildTree()

function buildTree(): Int16Array {
  const tree = new Int16Array(2 * LENGTHS.length)
  let nodes = 1
  const symbols = LENGTHS.map((_, symbol) => symbol)
  symbols.sort((a, b) => LENGTHS[a]! - LENGTHS[b]! || a - b)
  let code = 0
  let length = LENGTHS[symbols[0]!]!
  for (const symbol of symbols) {
    code *= 2 ** (LENGTHS[symbol]! - length)
    length = LENGTHS[symbol]!
    let node = 0
    for (let bit = length - 1; bit > 0; bit--) {
      const entry = 2 * node + ((code >>> bit) & 1)
      if (tree[entry] === 0) tree[entry] = nodes++
      node = tree[entry]!
    }
    tree[2 * node + (code & 1)] = ~symbol
    code++
  }
  return tree
}

/**
 * Decodes bytes into a string of one character a byte.
 * @throws H3Error if the end-of-string symbol or wrong padding appears
 */
export function decodeHuffman(bytes: Uint8Array): string {
  let text = ''
  let node = 0
  let depth = 0
  let onlyOnes = true
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const isOne = (byte >> bit) & 1
      const next = TREE[2 * node + isOne]!
      if (next < 0) {
        const symbol = ~next
        if (symbol === END_OF_STRING) throw failed('a Huffman string contains its end symbol')
        text += String.fromCharCode(symbol)
        node = 0
        depth = 0
        onlyOnes = true
      } else {
        node = next
        depth++
        if (isOne === 0) onlyOnes = false
      }
    }
  }
  // What is left must be the beginning of the end symbol, shorter than a byte.
  if (depth > 7 || !onlyOnes) throw failed('a Huffman string ends in the middle of a symbol')
  return text
}

function failed(message: string): H3Error {
  return new H3Error(QPACK_DECOMPRESSION_FAILED, message)
}
