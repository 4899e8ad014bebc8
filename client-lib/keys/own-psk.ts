/** A pre-shared key that nobody else has (RFC 9420 section 8.4): fresh entropy for who is alone in a group. */

import {
  bytesToBase64,
  type CiphersuiteImpl,
  makePskIndex,
  type Proposal,
  type PskIndex,
} from 'ts-mls'

export function ownPreSharedKey({ rng, kdf }: CiphersuiteImpl) {
  const pskId = rng.randomBytes(16)
  const pskNonce = rng.randomBytes(kdf.size)
  const preSharedKeyId = { psktype: 'external' as const, pskId, pskNonce }
  const proposal: Proposal = { proposalType: 'psk', psk: { preSharedKeyId } }
  const index: PskIndex = makePskIndex(undefined, {
    [bytesToBase64(pskId)]: rng.randomBytes(kdf.size),
  })
  return { proposal, preSharedKeyId, index }
}
