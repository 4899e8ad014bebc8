/**
 * MOQT Auth Token Types (draft-18 section 10.2.2) that Sotto uses. Both ends take any other type for a
 * token that says nothing to them.
 */
export const TokenType = {
  /** What the two ends agree on otherwise: a JSON Web Token (RFC 7519), compact. */
  JWT: 0,
  /**
   * Private: proof that its sender holds the key to which a JWT in the same message is bound (`cnf.jkt`).
   * A JWT in the shape of DPoP (RFC 9449 section 4.2): header `typ` `dpop+jwt`, `alg` and `jwk`, claims
   * `iat`, `jti`, `ath` (base64url of the SHA-256 of the other token) and `aud` (the room).
   */
  KEY_PROOF: 0x504f50,
} as const

/** Longest proof that is taken, bytes. */
export const MAX_KEY_PROOF_BYTES = 2048
