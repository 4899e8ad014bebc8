/** Hashes of a group's public ratchet tree (RFC 9420 sections 7.8 and 7.9). */

import type { RatchetTree } from 'ts-mls'
import { encodeLeafNodeHashInput, encodeParentNodeHashInput } from 'ts-mls/treeHash.js'
import {
  isLeaf,
  left,
  type NodeIndex,
  nodeToLeafIndex,
  right,
  rootFromNodeWidth,
  toNodeIndex,
} from 'ts-mls/treemath.js'
import { type Digest, lengthOf } from './public-crypto.ts'

interface LeafHash {
  readonly leaf: number
  readonly hash: Uint8Array
}

/** Remembers the hashes of leaves, most of which stay the same from one epoch to the next. */
export class TreeHasher {
  private readonly digest: Digest
  private readonly leaves = new WeakMap<object, LeafHash>()

  constructor(digest: Digest) {
    this.digest = digest
  }

  treeHash(tree: RatchetTree): Uint8Array {
    return this.subtree(tree, rootFromNodeWidth(tree.length))
  }

  /**
   * The parent hash that a child of a path node has, whose own descendants have no unmerged leaves
   * @param child a node below `parent`; the hash covers the other subtree
   */
  parentHash(tree: RatchetTree, parent: number, child: number): Uint8Array {
    const node = tree[parent]
    if (node?.nodeType !== 'parent') throw new TypeError(`node ${parent} is no parent`)
    const index = toNodeIndex(parent)
    const sibling = this.subtree(tree, child < parent ? right(index) : left(index))
    const { hpkePublicKey, parentHash } = node.parent
    const fields = [hpkePublicKey, parentHash, sibling]
    return this.digest(...fields.flatMap((field) => [lengthOf(field), field]))
  }

  private subtree(tree: RatchetTree, index: NodeIndex): Uint8Array {
    const node = tree[index]
    if (isLeaf(index)) {
      if (node?.nodeType === 'parent') throw new TypeError(`node ${index} is no leaf`)
      return this.leaf(nodeToLeafIndex(index), node)
    }
    if (node?.nodeType === 'leaf') throw new TypeError(`node ${index} is a leaf`)
    const leftHash = this.subtree(tree, left(index))
    const rightHash = this.subtree(tree, right(index))
    const parentNode = node?.parent
    return this.digest(
      encodeParentNodeHashInput({ nodeType: 'parent', parentNode, leftHash, rightHash }),
    )
  }

  private leaf(leafIndex: number, node: LeafOf | undefined): Uint8Array {
    const known = node && this.leaves.get(node)
    if (known?.leaf === leafIndex) return known.hash
    const leafNode = node?.leaf
    const hash = this.digest(encodeLeafNodeHashInput({ nodeType: 'leaf', leafIndex, leafNode }))
    if (node) this.leaves.set(node, { leaf: leafIndex, hash })
    return hash
  }
}

type LeafOf = Extract<NonNullable<RatchetTree[number]>, { nodeType: 'leaf' }>
