/**
 * Commits that the service took and members cannot apply (`moq/delivery/report.ts`): which one this
 * member waits for to be taken back, which were, and what it takes to believe so of one that it applied.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import type { ClientState } from 'ts-mls'
import { REPORT_LABEL, reportContent, type SkippedEntry } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { participantOf } from './identity.ts'
import type { MlsEngine } from './mls-engine.ts'
import { leaves } from './roster.ts'

/** A commit that this member has applied, and who may take it back. */
interface Taken {
  readonly epoch: number
  readonly hash: Uint8Array
  readonly groupId: Uint8Array
  /** Those who were to apply it, by leaf. */
  readonly voters: ReadonlyMap<number, { readonly id: string; readonly publicKey: Uint8Array }>
}

export interface Dispute {
  readonly epoch: number
  readonly commitHash: Uint8Array
}

const MAX_TAKEN = 16
const MAX_SKIPPED = 64

export class Disputes {
  private taken: Taken[] = []
  private skipped: Uint8Array[] = []
  private current: Dispute | null = null
  /** First epoch that the service took back without a majority. */
  private refused: number | null = null

  /** The commit that is waited for to be taken back. */
  get open(): Dispute | null {
    return this.current
  }

  raise(epoch: number, commit: Uint8Array): Dispute {
    this.current = { epoch, commitHash: sha256(commit) }
    return this.current
  }

  settle(): void {
    this.current = null
  }

  /** Whether a commit was taken back. */
  isSkipped(commit: Uint8Array): boolean {
    if (this.skipped.length === 0) return false
    const hash = sha256(commit)
    return this.skipped.some((known) => sameBytes(known, hash))
  }

  /** This member stays in epochs that the service has left. */
  refuse(epoch: number): void {
    this.refused = Math.min(this.refused ?? epoch, epoch)
  }

  /** Whether the others have gone on without this member, since it refused to go back. */
  isLeftBehind(epoch: number, commit: Uint8Array): boolean {
    const taken = this.taken.find((one) => one.epoch === epoch)
    if (this.refused === null || epoch < this.refused || taken === undefined) return false
    return !sameBytes(taken.hash, sha256(commit))
  }

  /** Notes that a commit was taken back; false when that is known. */
  noteSkipped(hash: Uint8Array): boolean {
    if (this.skipped.some((known) => sameBytes(known, hash))) return false
    this.skipped = [...this.skipped.slice(1 - MAX_SKIPPED), hash.slice()]
    return true
  }

  /** This member is in the epoch that `commit` of the participant `committer` made. */
  noteTaken(after: ClientState, commit: Uint8Array, committer: string): void {
    const voters = new Map<number, { id: string; publicKey: Uint8Array }>()
    for (const [leaf, { credential, signaturePublicKey }] of leaves(after.ratchetTree)) {
      const id = participantOf(credential)
      if (id !== committer) voters.set(leaf, { id, publicKey: signaturePublicKey })
    }
    const { epoch, groupId } = after.groupContext
    const entry = { epoch: Number(epoch), hash: sha256(commit), groupId, voters }
    this.taken = [...this.taken.slice(1 - MAX_TAKEN), entry]
  }

  /** What this member has of the commit that made an epoch: the one of the entry, another, or none. */
  knows({ epoch, commitHash }: SkippedEntry): 'it' | 'another' | 'none' {
    const taken = this.taken.find((one) => one.epoch === epoch)
    if (taken === undefined) return 'none'
    return sameBytes(taken.hash, commitHash) ? 'it' : 'another'
  }

  /** Whether more than half of those who may, and are not gone, have reported a commit of ours. */
  async isBacked(
    { epoch, commitHash, reports }: SkippedEntry,
    engine: MlsEngine,
    gone: ReadonlySet<string>,
  ): Promise<boolean> {
    const taken = this.taken.find((one) => one.epoch === epoch)
    if (taken === undefined) return false
    const content = reportContent(taken.groupId, epoch, commitHash)
    const needed = [...taken.voters.values()].filter(({ id }) => !gone.has(id)).length / 2
    let votes = 0
    for (const { leaf, signature } of reports) {
      const voter = taken.voters.get(leaf)
      if (voter === undefined || gone.has(voter.id)) continue
      if (await engine.verify(voter.publicKey, REPORT_LABEL, content, signature)) votes += 1
    }
    return votes > needed
  }

  /** This member is in no group any more; what was taken back stays known. */
  reset(): void {
    this.taken = []
    this.current = null
    this.refused = null
  }
}
