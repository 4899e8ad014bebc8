/**
 * The external commit of who was alone in a group and lost its state (RFC 9420 section 12.4.3.2): it
 * takes the place of its own former leaf, the only one. ts-mls cannot make it: of a tree without any
 * leaf it keeps no node, where section 7.7 keeps one.
 */

import type {
  CiphersuiteImpl,
  ClientState,
  GroupInfo,
  Proposal,
  PublicMessage,
  RatchetTree,
} from 'ts-mls'
import { exportSecret, nextEpochContext, validateRatchetTree } from 'ts-mls/clientState.js'
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js'
import { verifyGroupInfoSignature } from 'ts-mls/groupInfo.js'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { accumulatePskSecret } from 'ts-mls/pskIndex.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { toLeafIndex } from 'ts-mls/treemath.js'
import { createUpdatePath } from 'ts-mls/updatePath.js'
import { engineConfig } from './engine-config.ts'
import { KeysError } from './errors.ts'
import type { Identity } from './identity.ts'
import { ownPreSharedKey } from './own-psk.ts'
import { leafAt } from './roster.ts'

const WIREFORMAT = 'mls_public_message'

/**
 * There is nobody to encrypt a path secret to, so the commit secret is zeros, and who holds the former
 * state knows the init secret: what makes the epoch's keys new is a pre-shared key of our own.
 * @param tree the GroupInfo's, in which `former` is the only leaf
 * @throws KeysError `group-info-invalid`
 */
export async function replaceOnlyLeaf(
  { publicPackage, privatePackage }: Identity,
  info: GroupInfo,
  tree: RatchetTree,
  former: number,
  crypto: CiphersuiteImpl,
): Promise<{ publicMessage: PublicMessage; newState: ClientState }> {
  const { groupContext } = info
  const { hash, hpke, kdf, signature: signing } = crypto
  const { signaturePrivateKey } = privatePackage
  const externalPub = await checked(info, tree, former, crypto)
  const { enc, secret: initSecret } = await exportSecret(externalPub, crypto)
  const { leafNode } = publicPackage
  const [ratchetTree, path, , leafKey] = await createUpdatePath(
    [{ nodeType: 'leaf', leaf: leafNode }],
    toLeafIndex(0),
    groupContext,
    signaturePrivateKey,
    crypto,
  )
  const { proposal, preSharedKeyId, index } = ownPreSharedKey(crypto)
  const proposals: Proposal[] = [
    { proposalType: 'remove', remove: { removed: former } },
    { proposalType: 'external_init', externalInit: { kemOutput: enc } },
    proposal,
  ]
  const zeros = new Uint8Array(kdf.size)
  const [pskSecret] = await accumulatePskSecret([preSharedKeyId], index, crypto, zeros)
  const { framedContent, signature } = await createContentCommitSignature(
    groupContext,
    WIREFORMAT,
    { proposals: proposals.map((one) => ({ proposalOrRefType: 'proposal', proposal: one })), path },
    { senderType: 'new_member_commit' },
    new Uint8Array(0),
    signaturePrivateKey,
    signing,
  )
  const next = await nextEpochContext(
    groupContext,
    WIREFORMAT,
    framedContent,
    signature,
    await treeHashRoot(ratchetTree, hash),
    info.confirmationTag,
    hash,
  )
  const secrets = await initializeEpoch(initSecret, zeros, next, pskSecret, kdf)
  const { keySchedule } = secrets
  for (const secret of [initSecret, pskSecret, secrets.joinerSecret, secrets.encryptionSecret]) {
    secret.fill(0)
  }
  const { confirmationKey, membershipKey } = keySchedule
  const confirmationTag = await createConfirmationTag(
    confirmationKey,
    next.confirmedTranscriptHash,
    hash,
  )
  const auth = { contentType: framedContent.contentType, signature, confirmationTag }
  const content = { content: framedContent, auth, wireformat: WIREFORMAT } as const
  return {
    publicMessage: await protectPublicMessage(membershipKey, next, content, crypto),
    newState: {
      ratchetTree,
      groupContext: next,
      secretTree: [],
      privatePath: {
        leafIndex: 0,
        privateKeys: { 0: await hpke.exportPrivateKey(leafKey) },
      },
      confirmationTag,
      historicalReceiverData: new Map(),
      signaturePrivateKey,
      keySchedule,
      unappliedProposals: {},
      groupActiveState: { kind: 'active' },
      clientConfig: engineConfig,
    },
  }
}

/**
 * What ts-mls checks of a GroupInfo.
 * @returns its external_pub
 */
async function checked(
  info: GroupInfo,
  tree: RatchetTree,
  former: number,
  crypto: CiphersuiteImpl,
) {
  const { groupContext, extensions, signer } = info
  const { lifetimeConfig, authService } = engineConfig
  const { treeHash } = groupContext
  const fault = await validateRatchetTree(
    tree,
    groupContext,
    lifetimeConfig,
    authService,
    treeHash,
    crypto,
  )
  if (fault !== undefined) throw new KeysError('group-info-invalid', fault.message, fault)
  const signerKey = signer === former ? leafAt(tree, former)?.signaturePublicKey : undefined
  if (!signerKey || !(await verifyGroupInfoSignature(info, signerKey, crypto.signature))) {
    throw new KeysError('group-info-invalid', 'it is not signed by its only member')
  }
  if (groupContext.extensions.length > 0) {
    throw new KeysError('group-info-invalid', 'a group with extensions')
  }
  const externalPub = extensions.find(({ extensionType }) => extensionType === 'external_pub')
  if (externalPub === undefined) throw new KeysError('group-info-invalid', 'no external_pub')
  return externalPub.extensionData
}
