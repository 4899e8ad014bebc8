/**
 * Who may enter and do what: tokens signed by the operator's own application, checked against its
 * public keys. The relay issues nothing and keeps no accounts.
 */

export {
  AdmissionControl,
  type AdmissionControlOptions,
  type AdmissionEvents,
  type RevocationOutcome,
} from './control.ts'
export { type AdmissionCounters, makeAdmissionCounters } from './counters.ts'
export { JwksError, type PublicJwk } from './jwks.ts'
export { JwksKeeper, type JwksKeeperOptions, type JwksLocation } from './jwks-keeper.ts'
export { DEFAULT_PROOF_WINDOW_MS } from './key-proof.ts'
export {
  jwksOf,
  type KeyProofClaims,
  makeSigningKey,
  type SigningKey,
  signKeyProof,
  signToken,
  type TokenClaims,
  thumbprintOf,
} from './make-token.ts'
export {
  mayPublishNamespace,
  mayPublishTrack,
  maySubscribe,
  maySubscribeNamespace,
  NO_PERMISSIONS,
  type Permissions,
} from './permissions.ts'
export type { EndCause, RequestRefusal, SessionEnd } from './refusal-codes.ts'
export { Revocations, type Revoked, type RevokedUntil } from './revocation.ts'
export {
  type AdmissionLimits,
  DEFAULT_ADMISSION_LIMITS,
  SessionAdmission,
  type SessionAdmissionOptions,
} from './session-admission.ts'
export { runTokenCommand, TokenCommandError } from './token-command.ts'
export type { TokenRefusal, TokenRefusalCode } from './token-refusal.ts'
export {
  type Admission,
  type TokenVerdict,
  TokenVerifier,
} from './tokens.ts'
