/**
 * What a server can see of a handshake: the plain fields of a PublicMessage and of a GroupInfo. Nothing
 * here verifies a signature or holds a key: members do (RFC 9750 section 5.2). `decodeMlsMessage` is
 * all of ts-mls that the service loads; a test keeps it so.
 */

import type { GroupInfo, MLSMessage, Proposal, PublicMessage } from 'ts-mls'
import { decodeMlsMessage } from 'ts-mls/message.js'
import { Refusal } from './refusal.ts'

/** A commit as far as it matters for order and membership. */
export interface CommitView {
  readonly groupId: Uint8Array
  readonly epoch: number
  /** Leaves that it removes. */
  readonly removed: readonly number[]
  readonly by:
    | { readonly kind: 'member'; readonly leaf: number }
    | { readonly kind: 'external'; readonly participant: string }
}

export interface GroupInfoView {
  readonly groupId: Uint8Array
  readonly epoch: number
  readonly cipherSuite: string
  readonly signer: number
}

const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws Refusal unless it is a public commit that proposes only what rooms use */
export function inspectCommit(bytes: Uint8Array): CommitView {
  const message = decodeWhole(bytes)
  if (message.wireformat !== 'mls_public_message') {
    throw new Refusal('malformed', `${message.wireformat}, not a public message`)
  }
  const { content } = message.publicMessage
  if (content.contentType !== 'commit') throw new Refusal('malformed', 'not a commit')
  const proposals = content.commit.proposals.map((proposal) => {
    if (proposal.proposalOrRefType === 'proposal') return proposal.proposal
    throw new Refusal('bad-proposal', 'proposals by reference are not used')
  })
  const view = { groupId: content.groupId, epoch: safeEpoch(content.epoch) }
  switch (content.sender.senderType) {
    case 'member': {
      const removed = removedLeaves(proposals, ['remove', 'psk'])
      return { ...view, removed, by: { kind: 'member', leaf: content.sender.leafIndex } }
    }
    case 'new_member_commit': {
      const removed = removedLeaves(proposals, ['remove', 'external_init'])
      return { ...view, removed, by: { kind: 'external', participant: newcomer(content.commit) } }
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
  return { groupId, epoch: safeEpoch(epoch), cipherSuite, signer: groupInfo.signer }
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

type Commit = Extract<PublicMessage['content'], { contentType: 'commit' }>['commit']

function newcomer(commit: Commit): string {
  const credential = commit.path?.leafNode.credential
  if (credential?.credentialType !== 'basic') {
    throw new Refusal('wrong-identity', 'an external commit needs a basic credential')
  }
  try {
    return fromUtf8.decode(credential.identity)
  } catch {
    throw new Refusal('wrong-identity', 'the identity is not UTF-8')
  }
}

function safeEpoch(epoch: bigint): number {
  if (epoch >= Number.MAX_SAFE_INTEGER) throw new Refusal('malformed', `epoch ${epoch}`)
  return Number(epoch)
}
