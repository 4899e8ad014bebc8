/**
 * What a member that joined on top of a commit needs to believe that it was rightly taken back. It was not
 * there when the commit was made, so it has neither its hash nor the tree of before. It has the GroupInfo
 * that it joined from, whose transcript hash (RFC 9420 section 8.2) covers every commit up to there: the
 * skipped one, and those on top, that lead to exactly that hash are the ones that it joined on. Of those
 * who were to apply the commit it knows the keys of all that are in that GroupInfo's tree.
 *
 * The membership tag is in no hash: a service that alters it can have a good commit reported. It gains
 * nothing by that: the committer, and whoever applied the commit, know its bytes, stay in its epoch and
 * raise `fork` about the others.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import type { GroupInfo, PublicMessage } from 'ts-mls'
import { ratchetTreeFromExtension } from 'ts-mls/groupInfo.js'
import { createConfirmedHash, createInterimHash } from 'ts-mls/transcriptHash.js'
import type { SkippedEntry } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { KeysError } from './errors.ts'
import { participantOf } from './identity.ts'
import { decodeCommit } from './messages.ts'
import type { MlsEngine } from './mls-engine.ts'
import { type Electorate, votersIn } from './skip-votes.ts'

export class SkipProof {
  readonly entry: SkippedEntry
  private readonly base: GroupInfo
  /** Of the commits from the skipped one to that which made the epoch of `base`. */
  private readonly hashes: readonly Uint8Array[]
  private readonly commits: (Uint8Array | null)[]

  /** @param base what this member joined from */
  constructor(entry: SkippedEntry, base: GroupInfo) {
    this.entry = entry
    this.base = base
    const length = Number(base.groupContext.epoch) - entry.epoch + 1
    this.hashes = [entry.commitHash, ...entry.undone].slice(0, Math.max(0, length))
    this.commits = this.hashes.map(() => null)
  }

  /** Whether the commit lies below what was joined from, and the entry says what lies between. */
  get isPossible(): boolean {
    const { epoch } = this.base.groupContext
    return (
      epoch >= BigInt(this.entry.epoch) &&
      this.hashes.length === Number(epoch) - this.entry.epoch + 1
    )
  }

  /** Takes a commit of the log; true once all that are needed are there. */
  take(commit: Uint8Array): boolean {
    const hash = sha256(commit)
    const place = this.hashes.findIndex((known) => sameBytes(known, hash))
    if (place >= 0) this.commits[place] ??= commit.slice()
    return this.commits.every((known) => known !== null)
  }

  /** Who had a say in the commit; null when these are not the commits that this member joined on. */
  async electorate(engine: MlsEngine): Promise<Electorate | null> {
    try {
      const messages = this.commits.map((commit) => decodeCommit(commit!))
      return (await this.leadHere(messages, engine)) ? this.votersOf(messages) : null
    } catch (error) {
      // What is no commit made no epoch.
      if (error instanceof KeysError) return null
      throw error
    }
  }

  private async leadHere(messages: readonly PublicMessage[], engine: MlsEngine): Promise<boolean> {
    const { hash } = engine.impl
    const { groupContext } = this.base
    let interim = this.entry.transcript
    let confirmed = interim
    for (const { content, auth } of messages) {
      if (content.contentType !== 'commit' || auth.contentType !== 'commit') return false
      const { signature, confirmationTag } = auth
      const input = { wireformat: 'mls_public_message', content, signature } as const
      confirmed = await createConfirmedHash(interim, input, hash)
      interim = await createInterimHash(confirmed, confirmationTag, hash)
    }
    // The hash of the last commit is of before its tag.
    const tag = messages.at(-1)?.auth
    return (
      sameBytes(confirmed, groupContext.confirmedTranscriptHash) &&
      tag?.contentType === 'commit' &&
      sameBytes(tag.confirmationTag, this.base.confirmationTag)
    )
  }

  /** Of those who were removed since the keys are not known: they count, and cannot be heard. */
  private votersOf(messages: readonly PublicMessage[]): Electorate {
    const [skipped, ...later] = messages
    const newcomers = new Set(messages.map(newcomerOf))
    const voters = votersIn(ratchetTreeFromExtension(this.base) ?? [], (leaf, id) => {
      return newcomers.has(id) || leaf === committerOf(skipped!)
    })
    const unheard = later.reduce((sum, message) => sum + removals(message), 0)
    return { groupId: this.base.groupContext.groupId, voters, unheard }
  }
}

function committerOf({ content }: PublicMessage): number | null {
  return content.sender.senderType === 'member' ? content.sender.leafIndex : null
}

function newcomerOf({ content }: PublicMessage): string | null {
  if (content.contentType !== 'commit' || content.sender.senderType === 'member') return null
  const { path } = content.commit
  return path ? participantOf(path.leafNode.credential) : null
}

function removals({ content }: PublicMessage): number {
  if (content.contentType !== 'commit') return 0
  return content.commit.proposals.filter(
    (item) => item.proposalOrRefType === 'proposal' && item.proposal.proposalType === 'remove',
  ).length
}
