/** Why a token gives nothing. */

export type TokenRefusalCode =
  | 'malformed'
  | 'expired'
  | 'not-yet'
  | 'unknown-key'
  | 'bad-signature'
  | 'revoked'
  | 'claims'
  /** It is bound to a key, and nothing, or nothing good, shows that its bearer holds that. */
  | 'proof'

export interface TokenRefusal {
  readonly code: TokenRefusalCode
  /** One sentence for a person; holds nothing of the token. */
  readonly sentence: string
  /** ms until another try may do, where it is only too early; else null. */
  readonly retryAfterMs: number | null
}

export function refusal(
  code: TokenRefusalCode,
  sentence: string,
  retryAfterMs: number | null = null,
): TokenRefusal {
  return { code, sentence, retryAfterMs }
}
