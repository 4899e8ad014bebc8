/**
 * Commits that the service took and members cannot apply (`moq/delivery/report.ts`): which one this
 * member waits for to be taken back, which were, and what it takes to believe so of one that it applied.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import type { ClientState, GroupInfo } from 'ts-mls'
import type { SkippedEntry } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { SkipProof } from './skip-proof.ts'
import { type Electorate, votersIn } from './skip-votes.ts'

/** A commit that this member has applied, and who may take it back. */
interface Taken {
  readonly epoch: number
  readonly hash: Uint8Array
  readonly groupId: Uint8Array
  /** Those who were to apply it, by leaf. */
  readonly voters: Electorate['voters']
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
  private base: GroupInfo | null = null
  /** Of a commit below what this member joined from, while its log entries are fetched. */
  proof: SkipProof | null = null

  /** Whether the next commit has to wait: it may be one that is taken back. */
  get isBusy(): boolean {
    return this.current !== null || this.proof !== null
  }

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
    const voters = votersIn(after.ratchetTree, (_leaf, id) => id === committer)
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

  /** Who had a say in a commit that this member has applied; null for another. */
  electorate({ epoch, commitHash }: SkippedEntry): Electorate | null {
    const taken = this.taken.find((one) => one.epoch === epoch && sameBytes(one.hash, commitHash))
    return taken ? { ...taken, unheard: 0 } : null
  }

  /** This member came in from that GroupInfo. */
  noteJoined(from: GroupInfo): void {
    this.base = from
  }

  /** Begins to look into a commit that this member has joined on; false where that is of no use. */
  examine(entry: SkippedEntry): boolean {
    const proof = this.base && new SkipProof(entry, this.base)
    if (!proof?.isPossible) return false
    this.proof = proof
    return true
  }

  /** This member is in no group any more; what was taken back stays known. */
  reset(): void {
    this.taken = []
    this.current = null
    this.refused = null
    this.base = null
    this.proof = null
  }
}
