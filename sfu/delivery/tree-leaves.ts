/** Leaves of a ratchet tree: who is where, and whether a leaf is well signed. */

import type { GroupInfo, RatchetTree } from 'ts-mls'
import { encodeLeafNodeTBS, type LeafNode } from 'ts-mls/leafNode.js'
import { addLeafNode, decodeRatchetTree, removeLeafNode } from 'ts-mls/ratchetTree.js'
import { nodeToLeafIndex, toLeafIndex } from 'ts-mls/treemath.js'
import { DeliveryFormatError, decodeIdentity, type SuiteName } from '../../moq/delivery/index.ts'
import { verifyWithLabel } from './public-crypto.ts'
import { Refusal } from './refusal.ts'

/** @throws Refusal for a GroupInfo without a tree that can be read, or with a tree of wrong shape */
export function treeOf({ extensions }: GroupInfo): RatchetTree {
  const extension = extensions.find(({ extensionType }) => extensionType === 'ratchet_tree')
  let tree: RatchetTree | undefined
  try {
    const decoded = extension && decodeRatchetTree(extension.extensionData, 0)
    if (decoded?.[1] === extension?.extensionData.length) tree = decoded?.[0]
  } catch (error) {
    throw new Refusal('bad-group-info', `ratchet_tree: ${String(error)}`)
  }
  if (tree === undefined) throw new Refusal('bad-group-info', 'no ratchet_tree')
  for (const [index, node] of tree.entries()) {
    const expected = index % 2 === 0 ? 'leaf' : 'parent'
    if (node && node.nodeType !== expected) {
      throw new Refusal('bad-group-info', `node ${index} of the ratchet_tree is no ${expected}`)
    }
  }
  return tree
}

/** @throws Refusal when nobody is there */
export function leafAt(tree: RatchetTree, leaf: number): LeafNode {
  const node = tree[leaf * 2]
  if (node?.nodeType !== 'leaf') throw new Refusal('not-a-member', `leaf ${leaf} is blank`)
  return node.leaf
}

/**
 * The participant that a leaf names.
 * @throws Refusal unless it does so by a basic credential
 */
export function participantOf({ credential }: LeafNode): string {
  if (credential.credentialType !== 'basic') {
    throw new Refusal('wrong-identity', 'a leaf needs a basic credential')
  }
  try {
    return decodeIdentity(credential.identity).participant
  } catch (error) {
    if (!(error instanceof DeliveryFormatError)) throw error
    throw new Refusal('wrong-identity', error.message)
  }
}

/**
 * Whether the leaf is `participant`'s and signed with its own key for its place (section 7.3).
 * @throws Refusal
 */
export function checkLeaf(
  leaf: LeafNode,
  leafIndex: number,
  participant: string,
  { groupId, suite }: { readonly groupId: Uint8Array; readonly suite: SuiteName },
): void {
  if (participantOf(leaf) !== participant) {
    throw new Refusal('wrong-identity', `a leaf of ${participant} names somebody else`)
  }
  const signed =
    leaf.leafNodeSource === 'key_package'
      ? encodeLeafNodeTBS(leaf)
      : encodeLeafNodeTBS({ ...leaf, groupId, leafIndex })
  if (!verifyWithLabel(suite, leaf.signaturePublicKey, 'LeafNodeTBS', signed, leaf.signature)) {
    throw new Refusal('bad-signature', 'the leaf is not signed by its own key')
  }
}

/** Puts a newcomer at the leftmost free leaf (section 7.7). */
export function placeNewcomer(tree: RatchetTree, leaf: LeafNode): [RatchetTree, number] {
  const [placed, index] = addLeafNode(tree, leaf)
  return [placed, nodeToLeafIndex(index)]
}

/** Blanks a leaf; of a tree without any leaf one blank node stays (section 7.7), unlike in ts-mls. */
export function withoutLeaf(tree: RatchetTree, leaf: number): RatchetTree {
  const hasOthers = tree.some((node, index) => node?.nodeType === 'leaf' && index !== leaf * 2)
  return hasOthers ? removeLeafNode(tree, toLeafIndex(leaf)) : [undefined]
}
