/** The members of a group, read from its ratchet tree. */

import type { LeafNode, RatchetTree } from 'ts-mls'
import { fingerprint, participantOf } from './identity.ts'

export interface RosterEntry {
  /** Leaf index; an SFrame KID carries it. */
  readonly leaf: number
  readonly participantId: string
  /** JWK thumbprint of the signature key. */
  readonly fingerprint: string
}

/** The non-blank leaves, by leaf index; leaf i is node 2i (RFC 9420 appendix C). */
export function* leaves(tree: RatchetTree): Generator<[leaf: number, node: LeafNode]> {
  for (let index = 0; index < tree.length; index += 2) {
    const node = tree[index]
    if (node?.nodeType === 'leaf') yield [index / 2, node.leaf]
  }
}

export function leafAt(tree: RatchetTree, leaf: number): LeafNode | undefined {
  const node = tree[leaf * 2]
  return node?.nodeType === 'leaf' ? node.leaf : undefined
}

export function leafOf(tree: RatchetTree, participantId: string): number | undefined {
  for (const [leaf, node] of leaves(tree)) {
    if (participantOf(node.credential) === participantId) return leaf
  }
  return undefined
}

export function rosterOf(tree: RatchetTree): RosterEntry[] {
  return Array.from(leaves(tree), ([leaf, node]) => ({
    leaf,
    participantId: participantOf(node.credential),
    fingerprint: fingerprint(node.signaturePublicKey),
  }))
}
