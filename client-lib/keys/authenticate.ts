/** Who may be in the group under which key. */

import type { LeafNode } from 'ts-mls'
import { KeysError } from './errors.ts'
import { fingerprint } from './fingerprint.ts'
import { identityOf } from './identity.ts'

/** What a leaf says of whom it belongs to. */
export interface IdentityClaim {
  readonly participantId: string
  /** The admission token in the credential; anybody may have copied it. */
  readonly token: string | null
  /** JWK thumbprint of the signature key, which the leaf's owner has shown to hold. */
  readonly fingerprint: string
  /** Whether this is somebody who joins now; else one who was in the group when we came. */
  readonly joining: boolean
}

/** Null: the claim holds. Else why not, as a sentence's end: `the token ...`. */
export type Authenticate = (claim: IdentityClaim) => string | null | Promise<string | null>

/** Whoever the service lets in, under any key: rooms without tokens. */
export const admitAll: Authenticate = () => null

/** @throws KeysError `identity-refused` */
export async function authenticateLeaf(
  authenticate: Authenticate,
  { credential, signaturePublicKey }: LeafNode,
  joining: boolean,
): Promise<void> {
  const { participant, token } = identityOf(credential)
  const refusal = await authenticate({
    participantId: participant,
    token,
    fingerprint: fingerprint(signaturePublicKey),
    joining,
  })
  if (refusal !== null) throw new KeysError('identity-refused', `${participant}: ${refusal}`)
}
