/**
 * A file of records: each its length and a checksum (SHA-256 over length and record, cut to 8 bytes)
 * before it. What is torn or rotten is found by the first record that is not as it was written.
 */

import { createHash } from 'node:crypto'

const LENGTH_BYTES = 4
const CHECKSUM_BYTES = 8
const HEAD_BYTES = LENGTH_BYTES + CHECKSUM_BYTES
/** More than any record of a room takes, so that a rotten length is not believed. */
const MAX_RECORD_BYTES = 0x4000_0000

export function frame(records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const record of records) {
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(record.length)
    parts.push(length, checksum(length, record), record)
  }
  return Buffer.concat(parts)
}

/** The records up to the first bad one, and the bytes that they take. */
export function unframe(file: Uint8Array): { records: Uint8Array[]; bytes: number } {
  const records: Uint8Array[] = []
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  let bytes = 0
  while (bytes + HEAD_BYTES <= view.length) {
    const size = view.readUInt32BE(bytes)
    const end = bytes + HEAD_BYTES + size
    if (size > MAX_RECORD_BYTES || end > view.length) break
    const length = view.subarray(bytes, bytes + LENGTH_BYTES)
    const sum = view.subarray(bytes + LENGTH_BYTES, bytes + HEAD_BYTES)
    const record = view.subarray(bytes + HEAD_BYTES, end)
    if (Buffer.compare(sum, checksum(length, record)) !== 0) break
    records.push(record)
    bytes = end
  }
  return { records, bytes }
}

function checksum(length: Uint8Array, record: Uint8Array): Uint8Array {
  return createHash('sha256').update(length).update(record).digest().subarray(0, CHECKSUM_BYTES)
}
