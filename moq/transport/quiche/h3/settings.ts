/** SETTINGS of the peer (RFC 9114, Section 7.2.4). */

import { H3_FRAME_ERROR, H3_SETTINGS_ERROR, H3Error } from './errors.ts'
import { hasVarint, readVarint, varintLengthFrom } from './varint.ts'

const MAX_SETTINGS = 64

export type Settings = ReadonlyMap<number, number>

/** @throws H3Error if a setting is cut off, repeated or forbidden */
export function decodeSettings(payload: Uint8Array): Settings {
  const settings = new Map<number, number>()
  let offset = 0
  const next = () => {
    if (!hasVarint(payload, offset)) throw new H3Error(H3_FRAME_ERROR, 'SETTINGS is cut off')
    const value = readVarint(payload, offset)
    offset += varintLengthFrom(payload[offset]!)
    return value
  }
  while (offset < payload.length) {
    const id = next()
    const value = next()
    // The forbidden settings of HTTP/2 have the numbers 2 to 5.
    if (settings.has(id) || (id >= 0x02 && id <= 0x05)) {
      throw new H3Error(H3_SETTINGS_ERROR, `setting 0x${id.toString(16)} is repeated or forbidden`)
    }
    if (settings.size === MAX_SETTINGS) throw new H3Error(H3_SETTINGS_ERROR, 'too many settings')
    settings.set(id, value)
  }
  return settings
}
