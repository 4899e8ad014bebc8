import { RequestCode } from '../wire/codes.ts'
import { type Property, trackPropertiesFault, unknownMandatory } from '../wire/properties.ts'
import type { SessionLimitName } from './limits.ts'
import type { RequestRefusal } from './refusal.ts'
import { propertiesBytes } from './request-limits.ts'

/** Which track properties a session takes. */
export interface TakenProperties {
  readonly maxPropertiesBytes: number
  /** Mandatory Track Properties that the owner understands (section 2.5.1). */
  readonly knownProperties: ReadonlySet<number>
  limitHit(limit: SessionLimitName): void
}

/**
 * Why we cannot take a track with these properties; null when we can.
 * @throws ProtocolError for a value that ends the session
 */
export function trackRefusal(
  properties: readonly Property[],
  session: TakenProperties,
): RequestRefusal | null {
  const mandatory = unknownMandatory(properties, session.knownProperties)
  if (mandatory !== null) {
    const reason = `the track needs property 0x${mandatory.toString(16)}, which is not known here`
    return { code: RequestCode.UNSUPPORTED_EXTENSION, reason, retryAfterMs: null }
  }
  const fault = trackPropertiesFault(properties)
  if (fault) return { code: RequestCode.MALFORMED_TRACK, reason: fault, retryAfterMs: null }
  const size = propertiesBytes(properties)
  if (size <= session.maxPropertiesBytes) return null
  session.limitHit('maxPropertiesBytes')
  const reason = `track properties of ${size} bytes, at most ${session.maxPropertiesBytes} here`
  return { code: RequestCode.EXCESSIVE_LOAD, reason, retryAfterMs: null }
}
