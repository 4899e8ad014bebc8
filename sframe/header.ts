/**
 * The SFrame header: KID and CTR in their shortest form behind one config byte (RFC 9605 section
 * 4.3). `encodeHeader` and `decodeHeader` are for everyone; a relay that reads every frame uses
 * `parseHeader`, which neither allocates nor throws.
 */
import { SFrameError } from './errors.ts'
import {
  byteLength,
  fromHalves,
  readHigh,
  readLow,
  toUInt64,
  type UInt64,
  writeUInt64,
} from './uint64.ts'

/** Config byte, 8 bytes of KID, 8 bytes of CTR. */
export const MAX_HEADER_LENGTH = 17

const EXTENDED = 0x8
const LENGTH_OR_VALUE = 0x7

/** The header of a ciphertext: key id and counter (RFC 9605 section 4.3). */
export interface SFrameHeader {
  readonly kid: UInt64
  readonly ctr: UInt64
  /** Bytes that the header takes. */
  readonly length: number
}

/** Why a header is refused: the bytes end too early, or a value is not in its shortest form. */
export type HeaderFault = 'truncated' | 'malformed-header'

/**
 * What `parseHeader` fills; make one and use it again. KID and CTR are held as halves of 32 bits, so
 * that no value of theirs is ever allocated: compare halves where every frame counts.
 */
export class MutableHeader {
  kidHigh = 0
  kidLow = 0
  ctrHigh = 0
  ctrLow = 0
  /** Bytes that the header takes. */
  length = 0
  /** Set when `parseHeader` returned false; the other fields then mean nothing. */
  fault: HeaderFault | null = null

  /** Makes a bigint from 2^53 up, as `ctr` does. */
  get kid(): UInt64 {
    return fromHalves(this.kidHigh, this.kidLow)
  }

  get ctr(): UInt64 {
    return fromHalves(this.ctrHigh, this.ctrLow)
  }
}

/** A header to be decoded into, again and again. */
export function createMutableHeader(): MutableHeader {
  return new MutableHeader()
}

/**
 * Reads the header at `offset` into `out`. Returns false, with `out.fault` set, for bytes that are
 * not a header; never throws.
 */
export function parseHeader(bytes: Uint8Array, offset: number, out: MutableHeader): boolean {
  const config = bytes[offset]
  if (config === undefined) return refuse(out, 'truncated')
  const kidField = config >> 4
  const ctrField = config & 0xf
  const kidLength = extendedLength(kidField)
  const ctrLength = extendedLength(ctrField)
  const length = 1 + kidLength + ctrLength
  if (offset + length > bytes.length) return refuse(out, 'truncated')

  const kidOffset = offset + 1
  const ctrOffset = kidOffset + kidLength
  if (!isShortest(bytes, kidOffset, kidLength) || !isShortest(bytes, ctrOffset, ctrLength)) {
    return refuse(out, 'malformed-header')
  }
  out.kidHigh = readHigh(bytes, kidOffset, kidLength)
  out.kidLow = kidLength === 0 ? kidField : readLow(bytes, kidOffset, kidLength)
  out.ctrHigh = readHigh(bytes, ctrOffset, ctrLength)
  out.ctrLow = ctrLength === 0 ? ctrField : readLow(bytes, ctrOffset, ctrLength)
  out.length = length
  out.fault = null
  return true
}

/** Bytes behind the config byte that a 4-bit field asks for; 0 if the field is the value. */
function extendedLength(field: number): number {
  return (field & EXTENDED) === 0 ? 0 : (field & LENGTH_OR_VALUE) + 1
}

/** Section 4.3: a value of 8 or more, in the minimum number of bytes. */
function isShortest(bytes: Uint8Array, offset: number, length: number): boolean {
  if (length === 0) return true
  const first = bytes[offset] ?? 0
  return length === 1 ? first > LENGTH_OR_VALUE : first !== 0
}

function refuse(out: MutableHeader, fault: HeaderFault): false {
  out.fault = fault
  return false
}

/**
 * Reads the header at the start of `bytes`.
 * @throws SFrameError `truncated` or `malformed-header`
 */
export function decodeHeader(bytes: Uint8Array): SFrameHeader {
  const header = createMutableHeader()
  if (!parseHeader(bytes, 0, header)) throw new SFrameError(header.fault ?? 'malformed-header')
  return { kid: header.kid, ctr: header.ctr, length: header.length }
}

/** Bytes that the header of canonical `kid` and `ctr` takes, 1 to 17. */
export function headerLength(kid: UInt64, ctr: UInt64): number {
  return 1 + fieldLength(kid) + fieldLength(ctr)
}

function fieldLength(value: UInt64): number {
  return value <= LENGTH_OR_VALUE ? 0 : byteLength(value)
}

/**
 * Writes the header of canonical `kid` and `ctr` at the start of `out` and returns its length.
 * `out` has room for `headerLength(kid, ctr)` bytes.
 */
export function writeHeader(kid: UInt64, ctr: UInt64, out: Uint8Array): number {
  const kidLength = fieldLength(kid)
  const ctrLength = fieldLength(ctr)
  out[0] = (configField(kid, kidLength) << 4) | configField(ctr, ctrLength)
  writeUInt64(kid, out, 1, kidLength)
  writeUInt64(ctr, out, 1 + kidLength, ctrLength)
  return 1 + kidLength + ctrLength
}

function configField(value: UInt64, length: number): number {
  return length === 0 ? Number(value) : EXTENDED | (length - 1)
}

/**
 * The header for a KID and a counter, each from 0 to 2^64 - 1 as a safe integer or a bigint.
 * @throws RangeError for any other value
 */
export function encodeHeader(kid: UInt64, ctr: UInt64): Uint8Array {
  const canonicalKid = toUInt64(kid)
  const canonicalCtr = toUInt64(ctr)
  const out = new Uint8Array(headerLength(canonicalKid, canonicalCtr))
  writeHeader(canonicalKid, canonicalCtr, out)
  return out
}
