/**
 * The door to a membership: input comes in here in any order and at any time, is decoded, and is
 * worked through one piece after the other. What happens then is in `membership.ts`.
 */

import { decodeLogEntry, decodeSnapshot, UnknownSuiteError } from '../../moq/delivery/index.ts'
import { KeysError, UnsupportedSuiteError } from './errors.ts'
import { guardEvents } from './member-output.ts'
import type { MemberDump, MemberEvents, MemberOptions } from './member-types.ts'
import { Membership } from './membership.ts'
import type { RosterMember } from './roster.ts'
import { SerialQueue } from './serial-queue.ts'

export interface EpochSecretBytes {
  readonly epoch: number
  readonly secret: Uint8Array
}

export class MlsMember {
  private readonly events: MemberEvents
  private readonly membership: Membership
  private readonly queue: SerialQueue

  constructor(options: MemberOptions) {
    this.events = guardEvents(options.events)
    this.queue = new SerialQueue((error) => this.membership.fail(asInternal(error)))
    this.membership = new Membership(options, this.events, (work) => this.run(work))
  }

  /** Begins to join, or to create, the room's group. To be called once. */
  start(): void {
    this.run(() => this.membership.start())
  }

  /**
   * Ends without a goodbye and leaves the stored state, for whoever restores it: the page goes, and may
   * be back in a moment. Final.
   */
  suspend(): void {
    this.run(() => this.membership.suspend())
  }

  /** Says goodbye and forgets all keys. Final. */
  leave(): void {
    this.run(() => this.membership.leave())
  }

  /** The payload of an object of the `group-info` track, asked for or not. */
  onSnapshot(payload: Uint8Array): void {
    this.run(async () => {
      const snapshot = this.decoded(() => decodeSnapshot(payload))
      if (snapshot !== undefined) await this.membership.takeSnapshot(snapshot)
    })
  }

  /** As `onSnapshot`, of one that others asked for: what they are to join from is looked at, no more. */
  onOthersSnapshot(payload: Uint8Array): void {
    this.run(async () => {
      const snapshot = this.decoded(() => decodeSnapshot(payload))
      if (snapshot !== undefined) await this.membership.lookAt(snapshot)
    })
  }

  /** The payload of an object of the `log` track, in any order, repeated or not. */
  onLogEntry(payload: Uint8Array): void {
    this.run(async () => {
      const entry = this.decoded(() => decodeLogEntry(payload))
      if (entry !== undefined) await this.membership.takeEntry(entry)
    })
  }

  /**
   * Whether a participant's namespace is there. Once this is called at all, members that are not
   * reported present count as vanished and are removed after the grace period; after a reconnect, all
   * that changed meanwhile is to be reported.
   */
  setPresent(participantId: string, present: boolean): void {
    this.run(() => this.membership.setPresent(participantId, present))
  }

  /** While offline nothing is repeated; back online, what is pending is submitted again. */
  setOnline(online: boolean): void {
    this.run(() => this.membership.setOnline(online))
  }

  /** A newer admission token, for leaves that this member takes from now on. */
  setToken(token: string | null): void {
    this.run(() => this.membership.setToken(token))
  }

  /** Renews this member's keys now; `settings.updateMs` does so from time to time. */
  update(): void {
    this.run(() => this.membership.update())
  }

  /** Who is in the newest epoch, since when; empty outside of a group. */
  get roster(): readonly RosterMember[] {
    return this.membership.roster
  }

  /**
   * A secret of the newest epoch, the same for every member of it and unknown to all others. Exported
   * from a secret of its own, so that nothing follows from it for the keys of media.
   * @param length in bytes
   * @throws KeysError `not-a-member`
   */
  exportSecret(label: string, context: Uint8Array, length: number): Promise<EpochSecretBytes> {
    return this.ask(() => this.membership.exportSecret(label, context, length))
  }

  /**
   * Signs as this member, with its leaf's key (RFC 9420 section 5.1.2). A label is for one use only.
   * @throws KeysError `not-a-member`
   */
  sign(label: string, content: Uint8Array): Promise<Uint8Array> {
    return this.ask(() => this.membership.sign(label, content))
  }

  /**
   * Whether a member of the newest epoch signed this.
   * @throws KeysError `not-a-member` when this member is none
   */
  verify(
    participantId: string,
    label: string,
    content: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    return this.ask(() => this.membership.verify(participantId, label, content, signature))
  }

  /** Settles when all input so far has been worked through. */
  idle(): Promise<void> {
    return this.queue.idle()
  }

  dump(): MemberDump {
    return this.membership.dump()
  }

  private run(work: () => Promise<void> | void): void {
    this.queue.run(() => {
      if (!this.membership.isOver) return work()
    })
  }

  /** In its turn among the inputs. */
  private ask<T>(question: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // In an async function, so that what is thrown at once rejects too.
      this.queue.run(async () => void (await (async () => question())().then(resolve, reject)))
    })
  }

  private decoded<T>(decode: () => T): T | undefined {
    try {
      return decode()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      // Whoever is in a group already is in one whose suite is known.
      if (error instanceof UnknownSuiteError && this.membership.isOutside) {
        this.membership.fail(new UnsupportedSuiteError(error.suite, error))
      } else this.events.onAlarm({ code: 'malformed', message, cause: error })
      return undefined
    }
  }
}

function asInternal(error: unknown): KeysError {
  if (error instanceof KeysError) return error
  return new KeysError('internal', error instanceof Error ? error.message : String(error), error)
}
