/** Capsules on the CONNECT stream (RFC 9297; draft-ietf-webtrans-http3, Sections 5 and 6). */

import { H3_MESSAGE_ERROR, H3Error } from '../h3/errors.ts'
import { encodeFrame } from '../h3/frames.ts'
import { TlvReader } from '../h3/tlv-reader.ts'

export const CAPSULE_CLOSE_SESSION = 0x2843
export const CAPSULE_DRAIN_SESSION = 0x78ae

const MAX_REASON = 1024

export interface CapsuleHandler {
  onCloseSession(code: number, reason: string): void
  /** The peer asks to end soon, without saying when. */
  onDrainSession(): void
}

export function encodeCloseSession(code: number, reason: string): Uint8Array {
  const text = cut(new TextEncoder().encode(reason))
  const value = new Uint8Array(4 + text.length)
  new DataView(value.buffer).setUint32(0, code)
  value.set(text, 4)
  return encodeFrame(CAPSULE_CLOSE_SESSION, value)
}

/** A reader of the capsule protocol; unknown capsules are skipped. */
export function capsuleReader(handler: CapsuleHandler): TlvReader {
  return new TlvReader({
    onType: (type) => {
      if (type === CAPSULE_CLOSE_SESSION) return 4 + MAX_REASON
      return type === CAPSULE_DRAIN_SESSION ? 0 : 'skip'
    },
    onItem: (type, value) => {
      if (type === CAPSULE_DRAIN_SESSION) {
        handler.onDrainSession()
        return
      }
      if (value.length < 4) throw new H3Error(H3_MESSAGE_ERROR, 'a close capsule without a code')
      const code = new DataView(value.buffer, value.byteOffset).getUint32(0)
      handler.onCloseSession(code, new TextDecoder().decode(value.subarray(4)))
    },
    onPart: () => {},
  })
}

/** At most 1024 bytes, without half a character at the end. */
function cut(text: Uint8Array): Uint8Array {
  if (text.length <= MAX_REASON) return text
  let end = MAX_REASON
  while ((text[end]! & 0xc0) === 0x80) end--
  return text.subarray(0, end)
}
