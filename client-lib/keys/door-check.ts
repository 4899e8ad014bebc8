/**
 * Whether newcomers can join from the GroupInfo that they are given. The service cannot see whether its
 * external_pub is right (RFC 9420 section 12.4.3.2), and a newcomer sees it only by failing; each member
 * can compute it. So members look at what newcomers ask for, once an epoch, and where it is of no use one
 * of them makes an epoch with a GroupInfo of its own.
 */

import type { GroupInfo } from 'ts-mls'
import type { Snapshot } from '../../moq/delivery/index.ts'
import { KeysError } from './errors.ts'
import type { MemberCore } from './member-core.ts'
import { decodeGroupInfo } from './messages.ts'

export class DoorCheck {
  private readonly core: MemberCore
  /** Authenticator of the epoch last looked at: an epoch that is made anew has the same number. */
  private checked: Uint8Array | null = null

  constructor(core: MemberCore) {
    this.core = core
  }

  /** A snapshot that came for somebody else, not decoded further yet. */
  async look(snapshot: Snapshot | null): Promise<void> {
    const { state } = this.core
    if (state.name !== 'member' || snapshot?.epoch !== state.epoch) return
    try {
      await this.check(decodeGroupInfo(snapshot))
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      this.core.alarm(error.code, error.message, error)
    }
  }

  /** A GroupInfo of this member's epoch. */
  async check(info: GroupInfo): Promise<void> {
    const { core } = this
    const { state } = core
    if (state.name !== 'member' || info.groupContext.epoch !== BigInt(state.epoch)) return
    const { epochAuthenticator } = state.group.keySchedule
    if (this.checked === epochAuthenticator || !core.isCurrent(info.groupContext.groupId)) return
    this.checked = epochAuthenticator
    if (await state.engine.canBeJoined(state.group, info)) return
    core.alarm('group-info-invalid', 'nobody can join from the GroupInfo of this epoch')
    core.updates.hurry(core.book.roster)
  }
}
