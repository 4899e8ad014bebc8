/**
 * One participant's membership in a room's MLS group: the state machine between the delivery service
 * and the SFrame keys.
 *
 *     waiting → creating | joining → member → left
 *     restoring → member
 *
 * with a way back to `waiting` from every state that the service contradicts, and `failed` when tries
 * run out.
 *
 * Transport-free; time, jitter and output are passed in. No two methods may run at the same time.
 */

import type { LogEntry, Snapshot } from '../../moq/delivery/index.ts'
import { KeysError } from './errors.ts'
import { MemberCore } from './member-core.ts'
import { MemberEpochs } from './member-epochs.ts'
import { MemberInbox } from './member-inbox.ts'
import { type InGroup, isInGroup } from './member-state.ts'
import type { MemberDump, MemberEvents, MemberOptions } from './member-types.ts'
import { leafAt, type RosterMember } from './roster.ts'
import { wipe } from './secrets.ts'
import type { Work } from './timers.ts'

export class Membership {
  private readonly core: MemberCore
  private readonly epochs: MemberEpochs
  private readonly inbox: MemberInbox

  /** @param run does a timer's work when it is its turn */
  constructor(options: MemberOptions, events: MemberEvents, run: (work: Work) => void) {
    this.core = new MemberCore(options, events, run, {
      onSilence: () => this.onSilence(),
      onMissing: (epoch) => this.inbox.onMissing(epoch),
      commit: (leaves) => this.epochs.commit(leaves),
    })
    this.epochs = new MemberEpochs(this.core)
    this.inbox = new MemberInbox(this.core, this.epochs)
  }

  get isOver(): boolean {
    return this.core.isOver
  }

  get isOutside(): boolean {
    return this.core.state.name === 'waiting'
  }

  /** Of the newest epoch that was told. */
  get roster(): readonly RosterMember[] {
    return this.core.state.name === 'member' ? this.core.book.roster : []
  }

  async start(): Promise<void> {
    const { core } = this
    const saved = await core.keeper.take()
    const state = saved && (await core.entrance.restore(saved))
    if (state === null) {
      core.wait(0)
      core.entrance.prepare()
      return
    }
    core.setState(state)
    core.courier.ask()
  }

  leave(): void {
    this.core.courier.sayGoodbye()
    this.core.end({ name: 'left' }, false)
  }

  suspend(): void {
    this.core.keeper.flush(this.core.state, this.core.entrance.keys.keys)
    this.core.end({ name: 'left' }, true)
  }

  async setPresent(participantId: string, present: boolean): Promise<void> {
    const { core } = this
    core.removals.departures.setPresent(participantId, present, core.timers.now())
    await this.epochs.planRemoval()
  }

  setOnline(online: boolean): void {
    const { core } = this
    core.log.setOnline(online)
    if (!core.courier.setOnline(online)) return
    core.courier.submit(core.state)
    core.courier.ask()
    // Not to wait for the answer: what was missed is fetched at once.
    if (isInGroup(core.state)) core.events.requestLog(core.state.epoch + 1)
  }

  setToken(token: string | null): void {
    this.core.entrance.keys.setToken(token)
  }

  takeSnapshot(snapshot: Snapshot | null): Promise<void> {
    return this.inbox.takeSnapshot(snapshot)
  }

  lookAt(snapshot: Snapshot | null): Promise<void> {
    return this.inbox.lookAt(snapshot)
  }

  takeEntry(entry: LogEntry): Promise<void> {
    return this.inbox.takeEntry(entry)
  }

  /** Renews this member's keys, by a commit of its own. */
  async update(): Promise<void> {
    if (this.core.state.name === 'member') await this.core.updates.demand()
  }

  fail(error: KeysError): void {
    this.core.fail(error)
  }

  /** @throws KeysError `not-a-member` */
  async exportSecret(label: string, context: Uint8Array, length: number) {
    const { exporter } = this.core.book
    if (exporter === null) throw notAMember()
    return { epoch: exporter.epoch, secret: await exporter.secret(label, context, length) }
  }

  /** @throws KeysError `not-a-member` */
  sign(label: string, content: Uint8Array): Promise<Uint8Array> {
    const { engine, group } = this.inGroup()
    return engine.sign(group, label, content)
  }

  /** @throws KeysError `not-a-member` when this member is none */
  async verify(
    participantId: string,
    label: string,
    content: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const { engine, group } = this.inGroup()
    const signer = this.roster.find((member) => member.participantId === participantId)
    const leaf = signer && leafAt(group.ratchetTree, signer.leaf)
    return leaf !== undefined && engine.verify(leaf.signaturePublicKey, label, content, signature)
  }

  dump(): MemberDump {
    const { state, tries, disputes } = this.core
    const inGroup = isInGroup(state)
    return {
      state: state.name,
      epoch: inGroup ? state.epoch : null,
      members: this.roster.map(({ participantId }) => participantId),
      pending: inGroup && state.pending !== null,
      disputed: disputes.open?.epoch ?? null,
      tries: tries.count,
      rejoins: tries.rejoins,
    }
  }

  private inGroup(): InGroup {
    const { state } = this.core
    if (state.name !== 'member') throw notAMember()
    return state
  }

  private onSilence(): void {
    const { core } = this
    const { state } = core
    if (state.name === 'member' && state.pending === null && !core.courier.isOpen) return
    if (core.tries.again()) {
      core.courier.submit(state)
      core.courier.ask()
    } else if (state.name === 'member') {
      // Media goes on under the keys of this epoch; the commit is tried again later.
      core.alarm('no-answer', 'the delivery service takes no commit')
      if (state.pending !== null) wipe(state.pending.state, state.group)
      core.setState({ ...state, pending: null })
      core.tries.count = 0
      core.removals.postpone(core.settings.graceMs, () => core.book.roster)
      core.updates.postpone(core.settings.graceMs)
    } else {
      core.fail(new KeysError('no-answer', 'the delivery service does not answer'))
    }
  }
}

function notAMember(): KeysError {
  return new KeysError('not-a-member', 'not in the group now')
}
