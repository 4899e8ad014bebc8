/** What admission did since the start; for metrics. */

import type { EndCause } from './refusal-codes.ts'
import type { TokenRefusalCode } from './token-refusal.ts'

const verdicts = [
  'valid',
  'malformed',
  'expired',
  'not-yet',
  'unknown-key',
  'bad-signature',
  'revoked',
  'claims',
  'proof',
] as const satisfies readonly ('valid' | TokenRefusalCode)[]
const causes = [
  ...verdicts.filter((verdict) => verdict !== 'valid'),
  'missing',
] as const satisfies readonly EndCause[]

export interface AdmissionCounters {
  /** Tokens looked at, by verdict. */
  readonly tokens: Record<(typeof verdicts)[number], number>
  /** Sessions that never had a valid token. */
  readonly refused: Record<EndCause, number>
  /** Sessions whose last valid token ended. */
  readonly ended: Record<EndCause, number>
  /** Requests that no token of their session allows. */
  unauthorizedRequests: number
}

/** All at zero. */
export function makeAdmissionCounters(): AdmissionCounters {
  const zeros = <Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
  return {
    tokens: zeros(verdicts),
    refused: zeros<EndCause>(causes),
    ended: zeros<EndCause>(causes),
    unauthorizedRequests: 0,
  }
}
