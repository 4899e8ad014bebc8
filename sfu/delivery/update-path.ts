/** Puts the public keys of an UpdatePath into a ratchet tree (RFC 9420 sections 7.5 and 7.9.2). */

import type { PublicMessage, RatchetTree } from 'ts-mls'
import { filteredDirectPathAndCopathResolution } from 'ts-mls/ratchetTree.js'
import { directPath, leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js'
import { sameBytes } from '../../moq/wire/names.ts'
import { Refusal } from './refusal.ts'
import type { TreeHasher } from './tree-hash.ts'

type Content = Extract<PublicMessage['content'], { contentType: 'commit' }>
export type UpdatePath = NonNullable<Content['commit']['path']>

const NO_HASH = new Uint8Array(0)

/**
 * @param tree with the leaves of newcomers, without the removed ones
 * @param isNew the leaf is a newcomer's
 * @throws Refusal when the path does not fit the tree
 */
export function applyPath(
  tree: RatchetTree,
  leaf: number,
  path: UpdatePath,
  hasher: TreeHasher,
  isNew: boolean,
): RatchetTree {
  const place = leafToNodeIndex(toLeafIndex(leaf))
  checkKeys(tree, place, path, isNew)
  const filtered = filteredDirectPathAndCopathResolution(toLeafIndex(leaf), tree)
  if (filtered.length !== path.nodes.length) {
    throw new Refusal('bad-path', `${path.nodes.length} nodes, not ${filtered.length}`)
  }
  const next = tree.slice()
  next[place] = { nodeType: 'leaf', leaf: path.leafNode }
  for (const index of directPath(place, leafWidth(tree.length))) next[index] = undefined
  let above: number | null = null
  const hashBelow = (index: number) =>
    above === null ? NO_HASH : hasher.parentHash(next, above, index)
  // From the root down: the hash of each node covers the one above.
  for (let i = filtered.length - 1; i >= 0; i--) {
    const { nodeIndex, resolution } = filtered[i]!
    const { hpkePublicKey, encryptedPathSecret } = path.nodes[i]!
    if (encryptedPathSecret.length !== resolution.length) {
      throw new Refusal('bad-path', `not one secret for each of ${resolution.length} nodes`)
    }
    const parent = { hpkePublicKey, parentHash: hashBelow(nodeIndex), unmergedLeaves: [] }
    next[nodeIndex] = { nodeType: 'parent', parent }
    above = nodeIndex
  }
  if (!sameBytes(hashBelow(place), path.leafNode.parentHash)) {
    throw new Refusal('bad-path', 'the parent hash of its leaf is wrong')
  }
  return next
}

/** Keys are new, and nobody else's (RFC 9420 sections 7.3 and 12.4.2). */
function checkKeys(tree: RatchetTree, place: number, path: UpdatePath, isNew: boolean): void {
  const { leafNode } = path
  const fresh = [leafNode, ...path.nodes].map(({ hpkePublicKey }) => keyText(hpkePublicKey))
  const used = new Set(fresh)
  if (used.size !== fresh.length) throw new Refusal('bad-path', 'a key is there twice')
  for (const [index, node] of tree.entries()) {
    if (!node || (isNew && index === place)) continue
    const key = node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey
    if (used.has(keyText(key))) throw new Refusal('bad-path', 'a key of it is in the tree already')
    const other = node.nodeType === 'leaf' && index !== place ? node.leaf : null
    if (other && sameBytes(other.signaturePublicKey, leafNode.signaturePublicKey)) {
      throw new Refusal('bad-path', 'the signature key is another member’s')
    }
  }
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
