/**
 * The public half of an MLS group: its context and ratchet tree, followed from commit to commit as a
 * member does, but without any of the secrets (RFC 9420 section 12.4.2). So the service can check a
 * handshake's signatures, its tree and its GroupInfo. What it cannot check takes a secret: membership
 * tag, confirmation tag, the path secrets and whether external_pub is the right one.
 */

import type { GroupContext, GroupInfo, PublicMessage, RatchetTree } from 'ts-mls'
import { encodeFramedContentTBS } from 'ts-mls/framedContent.js'
import { encodeGroupContext } from 'ts-mls/groupContext.js'
import { encodeGroupInfoTBS } from 'ts-mls/groupInfo.js'
import { encodeRatchetTree } from 'ts-mls/ratchetTree.js'
import { encodeConfirmedTranscriptHashInput } from 'ts-mls/transcriptHash.js'
import type { SuiteName } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { type Digest, digestOf, lengthOf, verifyWithLabel } from './public-crypto.ts'
import { Refusal } from './refusal.ts'
import { TreeHasher } from './tree-hash.ts'
import { checkLeaf, leafAt, placeNewcomer, treeOf, withoutLeaf } from './tree-leaves.ts'
import { applyPath, type UpdatePath } from './update-path.ts'

export type CommitMessage = PublicMessage & {
  readonly content: Extract<PublicMessage['content'], { contentType: 'commit' }>
}

/** What a commit does besides its path. */
export interface CommitTerms {
  /** Leaf of the committer; null for a newcomer, who takes the leftmost free one. */
  readonly committer: number | null
  readonly removed: readonly number[]
  /** Whom its leaf must name. */
  readonly participant: string
}

/** Of the group's suite, the same for all of its epochs. */
interface Hashing {
  readonly suite: SuiteName
  readonly digest: Digest
  readonly hasher: TreeHasher
}

/** One epoch; immutable. */
export class PublicGroup {
  readonly context: GroupContext
  private readonly tree: RatchetTree
  private readonly confirmationTag: Uint8Array
  private readonly hashing: Hashing

  private constructor(
    context: GroupContext,
    tree: RatchetTree,
    confirmationTag: Uint8Array,
    hashing: Hashing,
  ) {
    this.context = context
    this.tree = tree
    this.confirmationTag = confirmationTag
    this.hashing = hashing
  }

  /**
   * The group that a GroupInfo shows. Only its tree hash and signature are checked here: whether the
   * epoch is the right one is known from elsewhere.
   * @throws Refusal
   */
  static from(groupInfo: GroupInfo, suite: SuiteName): PublicGroup {
    const digest = digestOf(suite)
    const hasher = new TreeHasher(digest)
    const tree = treeOf(groupInfo)
    const { groupContext, confirmationTag } = groupInfo
    const hashing = { suite, digest, hasher }
    const group = new PublicGroup(groupContext, tree, confirmationTag, hashing)
    if (!sameBytes(hasher.treeHash(tree), groupContext.treeHash)) {
      throw new Refusal('bad-group-info', 'its tree hash is not that of its ratchet_tree')
    }
    group.checkSignature(groupInfo)
    return group
  }

  /**
   * Epoch 0: the creator is alone.
   * @throws Refusal
   */
  static found(groupInfo: GroupInfo, suite: SuiteName, creator: string): PublicGroup {
    const group = PublicGroup.from(groupInfo, suite)
    if (group.tree.length !== 1) throw new Refusal('bad-group-info', 'others are in it already')
    if (groupInfo.groupContext.confirmedTranscriptHash.length > 0) {
      throw new Refusal('bad-group-info', 'its transcript is not that of a new group')
    }
    checkLeaf(leafAt(group.tree, 0), 0, creator, group.place)
    return group
  }

  /** Whether the member at a leaf signed this, with a label of RFC 9420 section 5.1.2. */
  isSignedBy(leaf: number, label: string, content: Uint8Array, signature: Uint8Array): boolean {
    return this.verify(leafAt(this.tree, leaf).signaturePublicKey, label, content, signature)
  }

  /**
   * The group after a commit, all of which is checked that is public.
   * @param groupInfo must be that of the new epoch, by the committer
   * @returns the committer's leaf too
   * @throws Refusal
   */
  after(message: CommitMessage, terms: CommitTerms, groupInfo: GroupInfo) {
    const { path, proposals } = message.content.commit
    this.checkCommitSignature(message, terms.committer)
    let tree = this.tree
    for (const leaf of terms.removed) tree = withoutLeaf(tree, leaf)
    let leaf = terms.committer
    if (path === undefined) {
      if (leaf === null || terms.removed.length > 0 || proposals.length === 0) {
        throw new Refusal('bad-path', 'it needs an update path')
      }
    } else {
      if (leaf === null) [tree, leaf] = placeNewcomer(tree, path.leafNode)
      tree = this.withPath(tree, leaf, path, terms)
    }
    const group = this.next(message, tree)
    group.checkGroupInfo(groupInfo, leaf)
    return { group, leaf }
  }

  /** RFC 9420 section 8.2. */
  get interimTranscriptHash(): Uint8Array {
    const { confirmationTag: tag } = this
    return this.hashing.digest(this.context.confirmedTranscriptHash, lengthOf(tag), tag)
  }

  private get place() {
    return { groupId: this.context.groupId, suite: this.hashing.suite }
  }

  private withPath(tree: RatchetTree, leaf: number, path: UpdatePath, terms: CommitTerms) {
    checkLeaf(path.leafNode, leaf, terms.participant, this.place)
    return applyPath(tree, leaf, path, this.hashing.hasher, terms.committer === null)
  }

  private next({ content, auth }: CommitMessage, tree: RatchetTree): PublicGroup {
    if (auth.contentType !== 'commit') throw new Refusal('malformed', 'no confirmation tag')
    const { digest, hasher } = this.hashing
    const { signature } = auth
    const confirmed = digest(
      this.interimTranscriptHash,
      encodeConfirmedTranscriptHashInput({ wireformat: 'mls_public_message', content, signature }),
    )
    const context: GroupContext = {
      ...this.context,
      epoch: this.context.epoch + 1n,
      treeHash: hasher.treeHash(tree),
      confirmedTranscriptHash: confirmed,
    }
    return new PublicGroup(context, tree, auth.confirmationTag, this.hashing)
  }

  private checkCommitSignature({ content, auth }: CommitMessage, committer: number | null): void {
    const leafKey = content.commit.path?.leafNode.signaturePublicKey
    const key = committer === null ? leafKey : leafAt(this.tree, committer).signaturePublicKey
    const senderType = committer === null ? 'new_member_commit' : 'member'
    const signed = encodeFramedContentTBS({
      protocolVersion: this.context.version,
      wireformat: 'mls_public_message',
      content,
      senderType,
      context: this.context,
    })
    if (!key || !this.verify(key, 'FramedContentTBS', signed, auth.signature)) {
      throw new Refusal('bad-signature', 'the commit is not signed by its committer')
    }
  }

  private checkGroupInfo(groupInfo: GroupInfo, signer: number): void {
    const { groupContext, confirmationTag } = groupInfo
    if (groupInfo.signer !== signer) {
      throw new Refusal('bad-group-info', `signed by leaf ${groupInfo.signer}, not ${signer}`)
    }
    if (!sameBytes(encodeGroupContext(groupContext), encodeGroupContext(this.context))) {
      throw new Refusal('bad-group-info', 'its context is not the one that the commit makes')
    }
    const tree = groupInfo.extensions.find(({ extensionType }) => extensionType === 'ratchet_tree')
    if (!tree || !sameBytes(tree.extensionData, encodeRatchetTree(this.tree))) {
      throw new Refusal('bad-group-info', 'its ratchet_tree is not the one that the commit makes')
    }
    if (!sameBytes(confirmationTag, this.confirmationTag)) {
      throw new Refusal('bad-group-info', 'its confirmation tag is not that of the commit')
    }
    this.checkSignature(groupInfo)
  }

  private checkSignature(groupInfo: GroupInfo): void {
    const key = leafAt(this.tree, groupInfo.signer).signaturePublicKey
    const signed = encodeGroupInfoTBS(groupInfo)
    if (!this.verify(key, 'GroupInfoTBS', signed, groupInfo.signature)) {
      throw new Refusal('bad-signature', 'the GroupInfo is not signed by its signer')
    }
  }

  private verify(key: Uint8Array, label: string, content: Uint8Array, signature: Uint8Array) {
    return verifyWithLabel(this.hashing.suite, key, label, content, signature)
  }
}
