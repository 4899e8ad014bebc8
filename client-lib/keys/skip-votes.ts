/** Whether the reports of a `skipped` entry are those of most who had a say (`moq/delivery/report.ts`). */

import type { RatchetTree } from 'ts-mls'
import { REPORT_LABEL, reportContent, type SkippedEntry } from '../../moq/delivery/index.ts'
import { participantOf } from './identity.ts'
import type { MlsEngine } from './mls-engine.ts'
import { leaves } from './roster.ts'

export interface Voter {
  readonly id: string
  readonly publicKey: Uint8Array
}

/** Those who were to apply a commit. */
export interface Electorate {
  readonly groupId: Uint8Array
  /** By leaf. */
  readonly voters: ReadonlyMap<number, Voter>
  /** So many more, whose keys are not known here. */
  readonly unheard: number
}

/** The holders of a tree's leaves but for whom `isApart` says. */
export function votersIn(
  tree: RatchetTree,
  isApart: (leaf: number, id: string) => boolean,
): Map<number, Voter> {
  const voters = new Map<number, Voter>()
  for (const [leaf, { credential, signaturePublicKey }] of leaves(tree)) {
    const id = participantOf(credential)
    if (!isApart(leaf, id)) voters.set(leaf, { id, publicKey: signaturePublicKey })
  }
  return voters
}

/** Whether more than half of those who may, and are not gone, have reported the commit. */
export async function isBacked(
  { epoch, commitHash, reports }: SkippedEntry,
  { groupId, voters, unheard }: Electorate,
  engine: MlsEngine,
  gone: ReadonlySet<string>,
): Promise<boolean> {
  const content = reportContent(groupId, epoch, commitHash)
  const there = [...voters.values()].filter(({ id }) => !gone.has(id)).length + unheard
  let votes = 0
  for (const { leaf, signature } of reports) {
    const voter = voters.get(leaf)
    if (voter === undefined || gone.has(voter.id)) continue
    if (await engine.verify(voter.publicKey, REPORT_LABEL, content, signature)) votes += 1
  }
  return votes * 2 > there
}
