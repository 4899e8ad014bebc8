/**
 * What a server can see of a handshake: the plain fields of a PublicMessage and of a GroupInfo, and
 * whether they are of the kinds that rooms use. Signatures and trees are `public-group.ts`'s.
 */

import type { GroupInfo, MLSMessage, Proposal } from 'ts-mls'
import { decodeMlsMessage } from 'ts-mls/message.js'
import type { CommitMessage } from './public-group.ts'
import { Refusal } from './refusal.ts'
import { participantOf } from './tree-leaves.ts'

/** A commit as far as it matters for order and membership. */
export interface CommitView {
  readonly groupId: Uint8Array
  readonly epoch: number
  /** Leaves that it removes. */
  readonly removed: readonly number[]
  /** Whether it proposes a pre-shared key. */
  readonly hasPsk: boolean
  readonly by:
    | { readonly kind: 'member'; readonly leaf: number }
    | { readonly kind: 'external'; readonly participant: string }
  readonly message: CommitMessage
}

export interface GroupInfoView {
  readonly groupId: Uint8Array
  readonly epoch: number
  readonly cipherSuite: string
  readonly signer: number
  readonly groupInfo: GroupInfo
}

/** @throws Refusal unless it is a public commit that proposes only what rooms use */
export function inspectCommit(bytes: Uint8Array): CommitView {
  const message = decodeWhole(bytes)
  if (message.wireformat !== 'mls_public_message') {
    throw new Refusal('malformed', `${message.wireformat}, not a public message`)
  }
  const { publicMessage } = message
  const { content } = publicMessage
  if (content.contentType !== 'commit') throw new Refusal('malformed', 'not a commit')
  const proposals = content.commit.proposals.map((proposal) => {
    if (proposal.proposalOrRefType === 'proposal') return proposal.proposal
    throw new Refusal('bad-proposal', 'proposals by reference are not used')
  })
  const view = {
    groupId: content.groupId,
    epoch: safeEpoch(content.epoch),
    hasPsk: proposals.some(({ proposalType }) => proposalType === 'psk'),
    message: { ...publicMessage, content },
  }
  switch (content.sender.senderType) {
    case 'member': {
      const removed = removedLeaves(proposals, ['remove', 'psk'])
      return { ...view, removed, by: { kind: 'member', leaf: content.sender.leafIndex } }
    }
    case 'new_member_commit': {
      const removed = removedLeaves(proposals, ['remove', 'external_init', 'psk'])
      return { ...view, removed, by: { kind: 'external', participant: newcomer(content) } }
    }
    default:
      throw new Refusal('malformed', `sender ${content.sender.senderType}`)
  }
}

/** @throws Refusal unless someone can join from it */
export function inspectGroupInfo(bytes: Uint8Array): GroupInfoView {
  const message = decodeWhole(bytes)
  if (message.wireformat !== 'mls_group_info') {
    throw new Refusal('bad-group-info', `${message.wireformat}, not a GroupInfo`)
  }
  const { groupInfo } = message
  requireExtension(groupInfo, 'external_pub')
  requireExtension(groupInfo, 'ratchet_tree')
  const { groupId, epoch, cipherSuite } = groupInfo.groupContext
  return { groupId, epoch: safeEpoch(epoch), cipherSuite, signer: groupInfo.signer, groupInfo }
}

function requireExtension(groupInfo: GroupInfo, type: 'external_pub' | 'ratchet_tree'): void {
  if (!groupInfo.extensions.some(({ extensionType }) => extensionType === type)) {
    throw new Refusal('bad-group-info', `no ${type}`)
  }
}

/** ts-mls decoders both throw and return undefined. */
function decodeWhole(bytes: Uint8Array): MLSMessage {
  let decoded: [MLSMessage, number] | undefined
  try {
    decoded = decodeMlsMessage(bytes, 0)
  } catch (error) {
    throw new Refusal('malformed', `MLS message: ${error instanceof Error ? error.message : error}`)
  }
  if (decoded === undefined) throw new Refusal('malformed', 'not an MLS message')
  if (decoded[1] !== bytes.length) throw new Refusal('malformed', 'bytes behind the MLS message')
  return decoded[0]
}

function removedLeaves(proposals: readonly Proposal[], allowed: readonly string[]): number[] {
  const removed: number[] = []
  for (const proposal of proposals) {
    if (!allowed.includes(String(proposal.proposalType))) {
      throw new Refusal('bad-proposal', `proposal ${proposal.proposalType} is not used`)
    }
    if (proposal.proposalType === 'remove') removed.push(proposal.remove.removed)
  }
  return removed
}

function newcomer({ commit }: CommitMessage['content']): string {
  if (commit.path) return participantOf(commit.path.leafNode)
  throw new Refusal('wrong-identity', 'an external commit needs a leaf')
}

function safeEpoch(epoch: bigint): number {
  if (epoch >= Number.MAX_SAFE_INTEGER) throw new Refusal('malformed', `epoch ${epoch}`)
  return Number(epoch)
}
