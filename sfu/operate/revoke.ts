/**
 * `POST /revoke`: what an operator's request to take a right away may say, and the answer to it.
 *
 * `{"jti": "…"}` names one token, `{"room": "…", "sub": "…"}` every token of a participant. `exp`,
 * seconds since 1970 as in the token, says how long to remember.
 */

import { z } from 'zod'
import type { RevocationOutcome, Revoked } from '../admission/index.ts'
import { type Answer, BodyError, json, type Request, text } from './http.ts'

/** @param expires ms since 1970, or null when the operator did not say */
export type Revoke = (
  revoked: Revoked,
  expires: number | null,
) => RevocationOutcome | Promise<RevocationOutcome>

const MAX_BODY_BYTES = 4096
const name = (most: number) => z.string().min(1).max(most)
/** As far as dates reach. */
const exp = z.number().positive().max(8_640_000_000_000).optional()
const bodySchema = z.union([
  z.strictObject({ jti: name(256), exp }),
  z.strictObject({ room: name(128), sub: name(128), exp }),
])
const FORMS = 'Send {"jti": "…"} or {"room": "…", "sub": "…"}, and "exp" in seconds if you know it.'

/** @param revoke null where nobody needs a token */
export async function answerRevoke(request: Request, revoke: Revoke | null): Promise<Answer> {
  if (revoke === null) return text(409, 'There are no tokens to revoke: the relay has no --auth.')
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    return text(415, `The body must be application/json. ${FORMS}`)
  }
  let body: unknown
  try {
    body = JSON.parse(await request.body(MAX_BODY_BYTES))
  } catch (error) {
    if (error instanceof BodyError) return text(error.status, error.message)
    return text(400, `The body is not JSON. ${FORMS}`)
  }
  const parsed = bodySchema.safeParse(body)
  if (!parsed.success) return text(400, FORMS)
  const { exp: expires } = parsed.data
  const outcome = await revoke(
    revokedOf(parsed.data),
    expires === undefined ? null : expires * 1000,
  )
  if (!outcome.revoked) {
    return text(
      507,
      'The list of revocations is full: remove the signing key from the JWKS instead.',
    )
  }
  const until = outcome.until === null ? null : new Date(outcome.until).toISOString()
  return json(200, { revoked: true, until, sessionsEnded: outcome.ended })
}

function revokedOf(body: z.infer<typeof bodySchema>): Revoked {
  return 'jti' in body
    ? { kind: 'token', tokenId: body.jti }
    : { kind: 'participant', room: body.room, participant: body.sub }
}
