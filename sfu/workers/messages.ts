/**
 * What parent and workers tell each other. Either side checks what comes: a worker that went wrong must
 * not take the parent with it.
 */

import { z } from 'zod'
import type { RevocationOutcome, Revoked, RevokedUntil } from '../admission/index.ts'
import type { Certificate } from '../certificate/index.ts'
import type { Config } from '../config.ts'
import { metricSnapshotSchema } from './metric-snapshot.ts'

/** Which worker it is, and all that it needs to serve. */
export interface WorkerStart {
  /** Counts from 0. */
  readonly index: number
  readonly count: number
  /** With the port of this worker. */
  readonly config: Config
  readonly certificate: Certificate
  /** Of each worker, as far as they are known. */
  readonly ports: readonly number[]
  readonly revocations: readonly RevokedUntil[]
}

/** A right that was taken away. */
export interface Revocation {
  readonly revoked: Revoked
  /** ms since 1970; null: as long as the relay runs. */
  readonly expires: number | null
}

/** What a worker is asked. */
export type Question =
  /** Whether its event loop runs. */
  | { readonly kind: 'pulse' }
  | { readonly kind: 'not-ready' }
  | { readonly kind: 'metrics' }
  /** @param room null: all */
  | { readonly kind: 'rooms'; readonly room: string | null }
  | { readonly kind: 'room-sizes' }
  /** `/debug` or `/debug.json` of a room. */
  | { readonly kind: 'debug'; readonly form: 'page' | 'data'; readonly room: string }
  /** When the rights end that a revocation would name, as far as they are in use. */
  | { readonly kind: 'expiry'; readonly revoked: Revoked }
  | { readonly kind: 'revoke'; readonly revocation: Revocation }

export type ToWorker =
  | ({ readonly type: 'start' } & WorkerStart)
  | { readonly type: 'ports'; readonly ports: readonly number[] }
  | { readonly type: 'certificate'; readonly certificate: Certificate }
  /** Read the issuer's keys again. */
  | { readonly type: 'reload' }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Ask callers to leave, wait for them, and end. */
  | { readonly type: 'drain' }
  /** End now. */
  | { readonly type: 'close' }

const types = ['start', 'ports', 'certificate', 'reload', 'ask', 'drain', 'close'] as const
const toWorkerSchema = z.custom<ToWorker>(
  (message) => z.looseObject({ type: z.enum(types) }).safeParse(message).success,
)

/** The parent is our own code, of the same version. @throws Error for what it cannot have sent */
export function readToWorker(message: unknown): ToWorker {
  return toWorkerSchema.parse(message)
}

const fromWorkerSchema = z.discriminatedUnion('type', [
  /** It serves, on this UDP and TCP port. */
  z.object({ type: z.literal('serving'), port: z.int().min(1).max(65_535) }),
  /** It cannot serve; a sentence for the operator. */
  z.object({ type: z.literal('failed'), reason: z.string() }),
  z.object({ type: z.literal('answer'), id: z.int(), answer: z.unknown() }),
])

export type FromWorker = z.infer<typeof fromWorkerSchema>

/** Null for what is none. */
export function readFromWorker(message: unknown): FromWorker | null {
  const read = fromWorkerSchema.safeParse(message)
  return read.success ? read.data : null
}

const roomsAnswer = z.object({
  rooms: z.array(z.unknown()),
  groups: z.array(z.unknown()),
  leftOut: z.object({ rooms: z.number(), groups: z.number(), entries: z.number() }).optional(),
})
const debugAnswer = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
})
const revokeAnswer: z.ZodType<RevocationOutcome> = z.object({
  revoked: z.boolean(),
  until: z.number().nullable(),
  ended: z.int(),
})

/** The answer to each kind of question. */
export const answerSchemas = {
  pulse: z.literal(true),
  'not-ready': z.array(z.string()),
  metrics: metricSnapshotSchema,
  rooms: roomsAnswer,
  'room-sizes': z.array(z.object({ room: z.string(), participants: z.number() })),
  debug: debugAnswer,
  /** ms since 1970, or null. */
  expiry: z.number().nullable(),
  revoke: revokeAnswer,
} as const satisfies Record<Question['kind'], z.ZodType>

export type Answers = { readonly [Kind in Question['kind']]: z.infer<(typeof answerSchemas)[Kind]> }
