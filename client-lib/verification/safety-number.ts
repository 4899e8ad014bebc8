import { Writer } from '../../moq/wire/writer.ts'
import { type Stretch, stretch } from './stretch.ts'

/** A participant and the JWK thumbprint (RFC 7638) of its signature key. */
export interface KeyHolder {
  readonly participantId: string
  readonly fingerprint: string
}

const LABEL = 'Sotto safety number 1'
const GROUPS = 6
const BYTES_A_GROUP = 5
/** As many as Signal's numeric fingerprints: 2^12 times the work for whoever searches a key. */
const ITERATIONS = 5200

const utf8 = new TextEncoder()

/**
 * 60 digits that two participants have in common: 30 of each one's id and key, the smaller first, as
 * in Signal's numeric fingerprints. They stay the same from epoch to epoch, and over calls as long as
 * both keep their signature keys; a new number says that one of the two has another key.
 *
 * Each half is 99 bits that only a key made for the purpose would match: who wants to pass for one of
 * the two has to find a second preimage.
 */
export async function safetyNumber(
  one: KeyHolder,
  other: KeyHolder,
  stretchWith: Stretch = stretch,
): Promise<string> {
  const halves = await Promise.all([digitsOf(one, stretchWith), digitsOf(other, stretchWith)])
  return halves.sort().join('')
}

async function digitsOf(
  { participantId, fingerprint }: KeyHolder,
  stretchWith: Stretch,
): Promise<string> {
  const id = utf8.encode(participantId)
  const salt = new Writer(id.length + 32).bytes(utf8.encode(LABEL)).lengthPrefixed(id).finish()
  const size = GROUPS * BYTES_A_GROUP
  const bytes = await stretchWith(utf8.encode(fingerprint), salt, ITERATIONS, size)
  let digits = ''
  for (let group = 0; group < GROUPS; group++) {
    let value = 0
    for (let i = 0; i < BYTES_A_GROUP; i++) value = value * 256 + bytes[group * BYTES_A_GROUP + i]!
    digits += String(value % 100_000).padStart(5, '0')
  }
  return digits
}
