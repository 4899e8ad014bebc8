/** A membership as bytes, to outlive a reload of the page. The bytes are as secret as the group is. */

import { type ClientState, decodeGroupState, encodeGroupState } from 'ts-mls'
import { isSuiteName, type SuiteName } from '../../moq/delivery/index.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { Writer } from '../../moq/wire/writer.ts'
import { engineConfig } from './engine-config.ts'
import type { SignatureKeys } from './identity.ts'

export interface SavedMember {
  readonly participantId: string
  readonly suite: SuiteName
  readonly signatureKeys: SignatureKeys
  /** Null: the keys alone are worth keeping; the group has to be joined anew. */
  readonly group: ClientState | null
}

const VERSION = 1
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** To be overwritten by the caller when it is stored. */
export function encodeSaved(saved: SavedMember): Uint8Array {
  const { publicKey, signKey } = saved.signatureKeys
  const group = saved.group === null ? new Uint8Array(0) : encodeGroupState(saved.group)
  const writer = new Writer(group.length + 1024)
  writer.uint8(VERSION)
  writer.lengthPrefixed(utf8.encode(saved.participantId)).lengthPrefixed(utf8.encode(saved.suite))
  writer.lengthPrefixed(publicKey).lengthPrefixed(signKey).lengthPrefixed(group)
  group.fill(0)
  return writer.finish()
}

/** Null for what is of another version, or was damaged. Copies: `bytes` may be overwritten after. */
export function decodeSaved(bytes: Uint8Array): SavedMember | null {
  try {
    const reader = new Reader(bytes.slice())
    if (reader.uint8() !== VERSION) return null
    const participantId = fromUtf8.decode(reader.lengthPrefixed())
    const suite = fromUtf8.decode(reader.lengthPrefixed())
    const signatureKeys = { publicKey: reader.lengthPrefixed(), signKey: reader.lengthPrefixed() }
    const state = reader.lengthPrefixed()
    reader.end()
    if (!isSuiteName(suite)) return null
    if (state.length === 0) return { participantId, suite, signatureKeys, group: null }
    const decoded = decodeGroupState(state, 0)
    if (decoded === undefined || decoded[1] !== state.length) return null
    return {
      participantId,
      suite,
      signatureKeys,
      group: { ...decoded[0], clientConfig: engineConfig },
    }
  } catch {
    return null
  }
}
