/**
 * One pass over a room: a newcomer joins, a member renews its keys, the newcomer leaves and is removed.
 * The room is as large after a pass as before. Two members follow all that happens, the rest have joined
 * and stay as leaves of the tree, which is all that others see of them.
 */

import type { SuiteName } from '../../moq/delivery/index.ts'
import type { Sample } from './figures.ts'
import { BenchRoom, type Seat } from './room.ts'

export class Passes {
  private readonly room: BenchRoom
  private readonly founder: Seat
  /** The second member; none in a room of one. */
  private second: Seat | null = null
  private size = 1

  private constructor(room: BenchRoom, founder: Seat) {
    this.room = room
    this.founder = founder
  }

  static async found(suite: SuiteName): Promise<Passes> {
    const room = new BenchRoom(suite)
    const { seat } = await room.join()
    return new Passes(room, seat)
  }

  /** Lets newcomers in, one by one, until there are so many members. */
  async grow(members: number): Promise<void> {
    while (this.size < members) {
      const { seat } = await this.room.join()
      this.size++
      await this.room.catchUp(this.founder)
      if (this.second === null) this.second = seat
      else {
        await this.room.catchUp(this.second)
        await this.room.freeze(seat)
      }
    }
  }

  /** Joins the next member, has the room's keys renewed, and removes that member again. */
  async pass(): Promise<Sample> {
    const { room, founder, second } = this
    const { seat: newcomer, ms: join } = await room.join()
    const { fetched } = newcomer
    const { bytes: sent, recordBytes: joinRecords, serviceMs: service } = room.accepted
    const joinApplied = await room.catchUp(founder)
    if (second) await room.catchUp(second)

    const update = await room.update(founder)
    const { recordBytes: updateRecords } = room.accepted
    const updateApplied = await room.catchUp(second ?? newcomer)
    if (second) await room.catchUp(newcomer)

    const removal = await room.remove(newcomer, founder)
    const { recordBytes: removalRecords } = room.accepted
    const removalApplied = second && (await room.catchUp(second))
    return {
      join,
      joinApplied,
      update,
      updateApplied,
      removal,
      removalApplied,
      service,
      fetched,
      sent,
      joinCommit: sum(joinRecords),
      updateCommit: sum(updateRecords),
      removalCommit: sum(removalRecords),
    }
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
