/**
 * What stands in the identity of a member's basic credential (RFC 9420 section 5.3): the participant id
 * in UTF-8 and, where the room admits by token, a zero byte and the token. The members check the token;
 * the service reads the id.
 */

import { checkId } from '../media/names.ts'
import { DeliveryFormatError } from './errors.ts'

export interface MemberIdentity {
  readonly participant: string
  /** Admission token in its compact form; null in a room that asks for none. */
  readonly token: string | null
}

/** Longest token in a credential, in bytes: each leaf of a tree carries one. */
export const MAX_CREDENTIAL_TOKEN_BYTES = 4096

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** JWS compact serialization (RFC 7515 section 7.1). */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** @throws DeliveryFormatError for what `decodeIdentity` would refuse */
export function encodeIdentity({ participant, token }: MemberIdentity): Uint8Array {
  const bytes = utf8.encode(token === null ? participant : `${participant}\0${token}`)
  decodeIdentity(bytes)
  return bytes
}

/** @throws DeliveryFormatError */
export function decodeIdentity(bytes: Uint8Array): MemberIdentity {
  const end = bytes.indexOf(0)
  const participant = textOf(end < 0 ? bytes : bytes.subarray(0, end))
  try {
    checkId('participant', participant)
  } catch (error) {
    throw new DeliveryFormatError(error instanceof Error ? error.message : String(error))
  }
  if (end < 0) return { participant, token: null }
  const token = bytes.subarray(end + 1)
  if (token.length > MAX_CREDENTIAL_TOKEN_BYTES) {
    throw new DeliveryFormatError(
      `token of ${token.length} bytes, at most ${MAX_CREDENTIAL_TOKEN_BYTES}`,
    )
  }
  const text = textOf(token)
  if (!COMPACT.test(text)) throw new DeliveryFormatError('the token is not in its compact form')
  return { participant, token: text }
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8.decode(bytes)
  } catch {
    throw new DeliveryFormatError('the identity is not UTF-8')
  }
}
