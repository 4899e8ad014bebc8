/** Keeps a member's state for a reload of the page, and never in the way of anything else. */

import type { SignatureKeys } from './identity.ts'
import { type InGroup, isInGroup, type MemberState } from './member-state.ts'
import type { AlarmCode } from './member-types.ts'
import { decodeSaved, encodeSaved, type SavedMember } from './state-codec.ts'
import type { StateSlot } from './state-store.ts'
import type { Timers } from './timers.ts'

export class StateKeeper {
  private readonly participantId: string
  private readonly slot: StateSlot | null
  private readonly saveMs: number
  private readonly timers: Timers
  private readonly alarm: (code: AlarmCode, message: string, cause?: unknown) => void
  private toldOfFailure = false

  constructor(
    participantId: string,
    slot: StateSlot | null,
    saveMs: number,
    timers: Timers,
    alarm: (code: AlarmCode, message: string, cause?: unknown) => void,
  ) {
    this.participantId = participantId
    this.slot = slot
    this.saveMs = saveMs
    this.timers = timers
    this.alarm = alarm
  }

  /**
   * What was kept, if it is this participant's. It is taken out, but for the signature keys: a state
   * that is in use here must not be restored a second time from what was stored before.
   */
  async take(): Promise<SavedMember | null> {
    if (this.slot === null) return null
    try {
      const bytes = await this.slot.take()
      const saved = bytes === null ? null : decodeSaved(bytes)
      bytes?.fill(0)
      if (saved?.participantId !== this.participantId) return null
      await this.save({ ...saved, group: null })
      return saved
    } catch (error) {
      this.failed(error)
      return null
    }
  }

  /** The page may be left at any time. */
  saveNow(state: MemberState, keys: SignatureKeys | null): void {
    this.timers.clear('save')
    if (state.name === 'member' && keys) void this.saveGroup(state, keys)
  }

  /** Soon. @param state asked when it is time */
  saveLater(state: () => MemberState, keys: () => SignatureKeys | null): void {
    if (this.slot === null || this.timers.has('save')) return
    this.timers.set('save', this.saveMs, () => this.saveNow(state(), keys()))
  }

  /** Saves now what was to be saved soon. */
  flush(state: MemberState, keys: SignatureKeys | null): void {
    if (this.timers.has('save')) this.saveNow(state, keys)
  }

  /** The group is over for this member: its state is of no use, the keys are. */
  async forgetGroup(state: MemberState, keys: SignatureKeys | null): Promise<void> {
    if (!isInGroup(state) || keys === null || this.slot === null) return
    const { participantId } = this
    await this.save({ participantId, suite: state.engine.suite, signatureKeys: keys, group: null })
  }

  /** Final. @param keep leaves the state for whoever comes next, as a crash would */
  async close(keep: boolean): Promise<void> {
    try {
      if (!keep) await this.slot?.clear()
    } catch (error) {
      this.failed(error)
    }
    this.slot?.close()
  }

  private async saveGroup({ engine, group }: InGroup, signatureKeys: SignatureKeys): Promise<void> {
    if (this.slot === null) return
    const { participantId } = this
    await this.save({ participantId, suite: engine.suite, signatureKeys, group })
  }

  private async save(saved: SavedMember): Promise<void> {
    const bytes = encodeSaved(saved)
    try {
      await this.slot?.save(bytes)
    } catch (error) {
      this.failed(error)
    }
    bytes.fill(0)
  }

  private failed(error: unknown): void {
    if (!this.toldOfFailure) {
      this.alarm('state-not-kept', 'this browser does not keep the state of the call', error)
    }
    this.toldOfFailure = true
  }
}
