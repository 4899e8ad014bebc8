/**
 * What a call reads of its admission token: the id that it gives the participant, its end, and its key. The
 * token is opaque otherwise: the relay checks it, and this code never shows or logs it.
 */

import { CallOptionsError } from './options.ts'
import type { CallError, TokenRequest } from './types.ts'

export interface ReadToken {
  readonly text: string
  /** `sub`: the participant's id in the call. */
  readonly participant: string
  /** `exp`, ms since 1970. */
  readonly expires: number
  /** `cnf.jkt`: thumbprint of the key that it is bound to; null for a token of whoever has it. */
  readonly thumbprint: string | null
}

const MAX_LENGTH = 8 * 1024

/**
 * Reads the claims of a JSON Web Token (RFC 7519); does not verify it.
 * @throws CallOptionsError
 */
export function readToken(token: string): ReadToken {
  const text = token.trim()
  const payload = text.length <= MAX_LENGTH ? payloadOf(text) : null
  if (payload === null) {
    throw new CallOptionsError('The token cannot be read. Ask for a new link or token.')
  }
  const { sub, exp, cnf } = payload
  if (typeof sub !== 'string' || sub === '' || typeof exp !== 'number') {
    throw new CallOptionsError(
      'The token does not say who it is for and how long. Ask for a new link or token.',
    )
  }
  return { text, participant: sub, expires: exp * 1000, thumbprint: thumbprintIn(cnf) }
}

/**
 * Asks the application for a token. Never rejects.
 * @param message for a person, where it has none
 */
export async function askForToken(
  source: (request: TokenRequest) => Promise<string>,
  request: TokenRequest,
  message: string,
): Promise<ReadToken | CallError> {
  try {
    return readToken(await source(request))
  } catch (error) {
    if (error instanceof CallOptionsError) return { code: 'token-refused', message: error.message }
    return { code: 'token-required', message, detail: String(error) }
  }
}

function thumbprintIn(confirmation: unknown): string | null {
  if (typeof confirmation !== 'object' || confirmation === null) return null
  return 'jkt' in confirmation && typeof confirmation.jkt === 'string' ? confirmation.jkt : null
}

function payloadOf(token: string): Record<string, unknown> | null {
  const [, part] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token) ?? []
  if (part === undefined) return null
  try {
    const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof json === 'object' && json !== null ? { ...json } : null
  } catch {
    return null
  }
}
