import { EMOJI, type Emoji } from './emoji-list.ts'
import { type Stretch, stretch } from './stretch.ts'

const LABEL = new TextEncoder().encode('Sotto verification emoji 1')
const BITS_A_PICTURE = 6

export const PICTURES = 12
/** Some 100 ms of one core, once an epoch. */
const ITERATIONS = 200_000

/**
 * The pictures that are the same for every member of an epoch and for nobody else: 12 of 64, so 72
 * bits of the stretched epoch authenticator (RFC 9420 section 8.7).
 *
 * Why so many. Somebody in the middle who keeps a group with each of two people looks for two epochs,
 * one in each group, whose codes are the same. It can make as many epochs as it has time for, by
 * commits of its own that it throws away, in both groups: with n bits some 2^(n/2 + 1) of them. Codes
 * of 7 pictures (42 bits) do where each side is bound to its contribution before it sees the other's,
 * as in ZRTP (RFC 6189 section 4.4.1.1), because that leaves a single try; MLS binds nobody so, and
 * 2^22 tries are minutes. Here 2^37 tries at 2^18.6 hash computations each are needed before people
 * have compared: more than 2^55, the cost of colliding the 30 digits, whose 99 bits are not stretched.
 */
export async function verificationEmoji(
  epochAuthenticator: Uint8Array,
  stretchWith: Stretch = stretch,
): Promise<Emoji[]> {
  const bytes = await stretchWith(epochAuthenticator, LABEL, ITERATIONS, PICTURES)
  // A byte a picture, of which 6 bits are taken: 256 is a multiple of 64, so none is likelier.
  return Array.from(bytes, (byte) => EMOJI[byte & ((1 << BITS_A_PICTURE) - 1)]!)
}
