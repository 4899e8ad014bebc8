/** The members of a group, read from its ratchet tree. */

import type { LeafNode, RatchetTree } from 'ts-mls'
import { fingerprint } from './fingerprint.ts'
import { participantOf } from './identity.ts'

export interface RosterEntry {
  /** Leaf index; an SFrame KID carries it. */
  readonly leaf: number
  readonly participantId: string
  /** JWK thumbprint of the signature key. */
  readonly fingerprint: string
}

export interface RosterMember extends RosterEntry {
  /** When its leaf came, as far as this member has seen: never before it came in itself. */
  readonly since: { readonly epoch: number /** ms since 1970. */; readonly time: number }
}

export function isSameLeaf(a: RosterEntry, b: RosterEntry): boolean {
  return a.leaf === b.leaf && a.participantId === b.participantId && a.fingerprint === b.fingerprint
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
