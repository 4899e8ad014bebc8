/**
 * What a room allows, beyond what ts-mls 1.6.4 checks by itself. Everything here reads public fields
 * and runs before ts-mls touches the message, because some hostile inputs make it loop or accept what
 * RFC 9420 forbids:
 *
 * - it walks `unmerged_leaves` without a bound, and refuses valid ones; rooms never have any, because
 *   members join by external commit alone;
 * - it compares a new leaf's keys with nothing (section 7.3 asks for uniqueness);
 * - an external commit may remove any leaf; here only the sender's own former one.
 */

import type { Credential, GroupContext, PublicMessage, RatchetTree } from 'ts-mls'
import { sameBytes } from '../../moq/wire/names.ts'
import { KeysError } from './errors.ts'
import { participantOf } from './identity.ts'
import { leafAt, leafOf, leaves } from './roster.ts'

export type Commit = Extract<PublicMessage['content'], { contentType: 'commit' }>['commit']

/** A commit that breaks no rule, as far as rules are about public fields. */
export interface CheckedCommit {
  readonly removed: readonly number[]
  /** The committer's leaf; null for an external commit, which takes a new one. */
  readonly leaf: number | null
  /** The participant who committed; by an external commit it joins, or joins again. */
  readonly committer: string
  readonly external: boolean
}

/** @throws KeysError `group-info-invalid`, `identity-refused` or `too-many-members` */
export function checkTree(tree: RatchetTree, maxMembers: number): void {
  // Twice as many leaves as members: half of the leaves may be blank before the tree shrinks.
  if (tree.length > maxMembers * 4) {
    throw new KeysError('too-many-members', `a ratchet tree of ${tree.length} nodes`)
  }
  for (const node of tree) {
    if (node?.nodeType === 'parent' && node.parent.unmergedLeaves.length > 0) {
      throw new KeysError('group-info-invalid', 'a ratchet tree with unmerged leaves')
    }
  }
  const known = new Set<string>()
  for (const [, leaf] of leaves(tree)) {
    const participant = participantOf(leaf.credential)
    if (known.has(participant)) {
      throw new KeysError('identity-refused', `two leaves of ${participant}`)
    }
    known.add(participant)
  }
  if (known.size > maxMembers) throw new KeysError('too-many-members', `${known.size} members`)
}

/** @throws KeysError `commit-invalid` or `identity-refused` */
export function checkCommit(
  message: PublicMessage,
  context: GroupContext,
  tree: RatchetTree,
  maxMembers: number,
): CheckedCommit {
  const { content } = message
  if (content.contentType !== 'commit') throw invalid('not a commit')
  if (!sameBytes(content.groupId, context.groupId)) throw invalid('of another group')
  if (content.epoch !== context.epoch) throw invalid(`of epoch ${content.epoch}`)
  switch (content.sender.senderType) {
    case 'member':
      return checkMemberCommit(content.commit, content.sender.leafIndex, tree)
    case 'new_member_commit':
      return checkExternalCommit(content.commit, tree, maxMembers)
    default:
      throw invalid(`sender ${content.sender.senderType}`)
  }
}

function checkMemberCommit(commit: Commit, sender: number, tree: RatchetTree): CheckedCommit {
  const current = leafAt(tree, sender)
  if (current === undefined) throw invalid(`no member at leaf ${sender}`)
  const removed = removals(commit, tree)
  if (removed.includes(sender)) throw invalid('a member cannot remove itself')
  // A pre-shared key is used by a member that is left alone; see `mls-engine.ts`.
  requireOnly(commit, ['remove', 'psk'])
  if (commit.path === undefined) throw invalid('no update path')
  const { credential, signaturePublicKey } = commit.path.leafNode
  const committer = participantOf(current.credential)
  if (
    !sameCredential(credential, current.credential) ||
    !sameBytes(signaturePublicKey, current.signaturePublicKey)
  ) {
    throw new KeysError('identity-refused', `${committer} changed its credential`)
  }
  requireFreshEncryptionKey(commit, tree)
  return { removed, leaf: sender, committer, external: false }
}

function checkExternalCommit(commit: Commit, tree: RatchetTree, maxMembers: number): CheckedCommit {
  requireOnly(commit, ['remove', 'external_init', 'psk'])
  const inits = commit.proposals.filter(
    (item) =>
      item.proposalOrRefType === 'proposal' && item.proposal.proposalType === 'external_init',
  )
  if (inits.length !== 1) throw invalid(`${inits.length} external_init proposals`)
  if (commit.path === undefined) throw invalid('no update path')
  const { credential, signaturePublicKey } = commit.path.leafNode
  const committer = participantOf(credential)
  const removed = removals(commit, tree)
  const former = leafOf(tree, committer)
  const expected = former === undefined ? 0 : 1
  if (removed.length !== expected || removed[0] !== former) {
    throw new KeysError('identity-refused', `${committer} may remove its own former leaf only`)
  }
  let members = 1 - expected
  for (const [leaf, node] of leaves(tree)) {
    members += 1
    if (leaf !== former && sameBytes(node.signaturePublicKey, signaturePublicKey)) {
      throw new KeysError('identity-refused', `${committer} uses the key of leaf ${leaf}`)
    }
  }
  if (members > maxMembers) throw new KeysError('too-many-members', `${members} members`)
  // See `only-leaf.ts`.
  if (members > 1) requireOnly(commit, ['remove', 'external_init'])
  requireFreshEncryptionKey(commit, tree)
  return { removed, leaf: null, committer, external: true }
}

function sameCredential(a: Credential, b: Credential): boolean {
  if (a.credentialType !== 'basic' || b.credentialType !== 'basic') return false
  return sameBytes(a.identity, b.identity)
}

function removals(commit: Commit, tree: RatchetTree): number[] {
  const removed: number[] = []
  for (const item of commit.proposals) {
    if (item.proposalOrRefType !== 'proposal' || item.proposal.proposalType !== 'remove') continue
    const leaf = item.proposal.remove.removed
    if (leafAt(tree, leaf) === undefined) throw invalid(`removes blank leaf ${leaf}`)
    if (removed.includes(leaf)) throw invalid(`removes leaf ${leaf} twice`)
    removed.push(leaf)
  }
  return removed
}

function requireOnly(commit: Commit, allowed: readonly string[]): void {
  for (const item of commit.proposals) {
    if (item.proposalOrRefType !== 'proposal') throw invalid('a proposal by reference')
    const type = String(item.proposal.proposalType)
    if (!allowed.includes(type)) throw invalid(`proposal ${type}`)
  }
}

function requireFreshEncryptionKey(commit: Commit, tree: RatchetTree): void {
  const key = commit.path!.leafNode.hpkePublicKey
  for (const node of tree) {
    const used = node?.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node?.parent.hpkePublicKey
    if (used !== undefined && sameBytes(used, key)) throw invalid('an encryption key used before')
  }
}

function invalid(detail: string): KeysError {
  return new KeysError('commit-invalid', `commit: ${detail}`)
}
