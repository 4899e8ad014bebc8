/** Objects that were not decrypted, counted by what was wrong with them. */

import { receiveFailures, SFrameError } from '../../../sframe/index.ts'
import type { DecryptFailure, DecryptFailures } from '../types.ts'

export type MutableDecryptFailures = Record<DecryptFailure, number>

export function noDecryptFailures(): MutableDecryptFailures {
  return {
    'malformed-header': 0,
    truncated: 0,
    'unknown-kid': 0,
    replayed: 0,
    'too-old': 0,
    'authentication-failed': 0,
    'limit-exceeded': 0,
    'foreign-key': 0,
    unreadable: 0,
  }
}

/** In a record of its own. */
export function addedDecryptFailures(
  some: DecryptFailures,
  further: DecryptFailures,
): MutableDecryptFailures {
  const sums = { ...some }
  for (const reason of reasons) sums[reason] += further[reason]
  return sums
}

export function totalOf(failures: DecryptFailures): number {
  let total = 0
  for (const reason of reasons) total += failures[reason]
  return total
}

/** @param error what came of decrypting an object */
export function reasonOf(error: unknown): DecryptFailure {
  if (!(error instanceof SFrameError)) return 'unreadable'
  return receiveFailures.find((failure) => failure === error.code) ?? 'unreadable'
}

const reasons: readonly DecryptFailure[] = [...receiveFailures, 'foreign-key', 'unreadable']
