/**
 * The door to a membership: input comes in here in any order and at any time, is decoded, and is
 * worked through one piece after the other. What happens then is in `membership.ts`.
 */

import { decodeLogEntry, decodeSnapshot } from '../../moq/delivery/index.ts'
import { KeysError } from './errors.ts'
import { guardEvents } from './member-output.ts'
import type { MemberDump, MemberEvents, MemberOptions } from './member-types.ts'
import { Membership } from './membership.ts'
import { SerialQueue } from './serial-queue.ts'

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

  private decoded<T>(decode: () => T): T | undefined {
    try {
      return decode()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.events.onAlarm({ code: 'malformed', message, cause: error })
      return undefined
    }
  }
}

function asInternal(error: unknown): KeysError {
  if (error instanceof KeysError) return error
  return new KeysError('internal', error instanceof Error ? error.message : String(error), error)
}
