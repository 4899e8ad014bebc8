/** The states of a member, as data. */

import type { ClientState, GroupInfo } from 'ts-mls'
import type { KeysError } from './errors.ts'
import type { Attempt, MlsEngine } from './mls-engine.ts'
import { wipe } from './secrets.ts'

export type MemberState =
  /** Has asked for the newest snapshot, or will when its delay is over. */
  | { readonly name: 'waiting' }
  /** Submitted epoch 0 of a group of its own. */
  | {
      readonly name: 'creating'
      readonly engine: MlsEngine
      readonly founding: Omit<Attempt, 'commit'>
    }
  /** Submitted an external commit that makes `epoch`. */
  | {
      readonly name: 'joining'
      readonly engine: MlsEngine
      readonly attempt: Attempt
      readonly epoch: number
      /** The GroupInfo that it joins from. */
      readonly base: Uint8Array
      readonly info: GroupInfo
    }
  | InGroup
  | { readonly name: 'left' }
  | { readonly name: 'failed'; readonly error: KeysError }

/**
 * `restoring`: back with a state of before a reload. It may be behind, and keys of its epochs may have
 * been used to send already: it says nothing of any epoch, and sends in none, until a commit of its own
 * has made a new one.
 */
export interface InGroup {
  readonly name: 'member' | 'restoring'
  readonly engine: MlsEngine
  readonly group: ClientState
  readonly epoch: number
  /** A commit that was submitted on `group` and is not decided yet. */
  readonly pending: Attempt | null
}

export function isInGroup(state: MemberState): state is InGroup {
  return state.name === 'member' || state.name === 'restoring'
}

export type StateName = MemberState['name']

export function groupIdOf(state: MemberState): Uint8Array | null {
  switch (state.name) {
    case 'creating':
      return state.founding.state.groupContext.groupId
    case 'joining':
      return state.attempt.state.groupContext.groupId
    case 'member':
    case 'restoring':
      return state.group.groupContext.groupId
    case 'waiting':
    case 'left':
    case 'failed':
      return null
  }
}

/** The epoch whose commit is needed next, or null where no commit can be used. */
export function nextEpochOf(state: MemberState): number | null {
  if (state.name === 'joining') return state.epoch
  return isInGroup(state) ? state.epoch + 1 : null
}

/** Overwrites the secrets of a state that is over, with nothing to succeed it. */
export function wipeState(state: MemberState): void {
  if (state.name === 'creating') wipe(state.founding.state, null)
  if (state.name === 'joining') wipe(state.attempt.state, null)
  if (!isInGroup(state)) return
  if (state.pending !== null) wipe(state.pending.state, null)
  wipe(state.group, null)
}
