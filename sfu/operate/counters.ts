/**
 * What the relay process counts: what forwarding counts, and what happens at its door. Plain numbers;
 * whoever sees something happen increments one.
 */

import type { TransportKind } from '../../moq/transport/transport.ts'
import { type AdmissionCounters, makeAdmissionCounters } from '../admission/index.ts'
import { type ForwardCounters, makeForwardCounters } from '../forward/counters.ts'
import { type LimitHits, makeLimitHits } from './limit-hits.ts'

/**
 * Why a session was refused before it began: there are too many, the relay drains, no MoQT version in
 * common, a path or authority that is not served, no token that is valid.
 */
export const refusals = ['limit', 'draining', 'version', 'target', 'token'] as const
const closers = ['local', 'peer', 'transport'] as const
export const transports = [
  'webtransport',
  'websocket',
  'quic',
  'memory',
] as const satisfies readonly TransportKind[]

export type Refusal = (typeof refusals)[number]

type Tally<Names extends readonly string[]> = Record<Names[number], number>

export interface Counters extends ForwardCounters {
  readonly sessionsOpened: Record<TransportKind, number>
  readonly sessionsClosed: Tally<typeof closers>
  readonly sessionsRefused: Tally<typeof refusals>
  readonly admission: AdmissionCounters
  readonly limits: LimitHits
}

/** All at zero. */
export function makeCounters(): Counters {
  return {
    ...makeForwardCounters(),
    sessionsOpened: tally(transports),
    sessionsClosed: tally(closers),
    sessionsRefused: tally(refusals),
    admission: makeAdmissionCounters(),
    limits: makeLimitHits(),
  }
}

function tally<const Names extends readonly string[]>(names: Names): Tally<Names> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Tally<Names>
}
