import { type DeliveryLimits, defaultDeliveryLimits } from '../../moq/delivery/index.ts'

/** A token bucket: `burst` at once, then `perSecond`. */
export interface Rate {
  readonly burst: number
  readonly perSecond: number
}

/** What the delivery service spends on a room at most. */
export interface SequencerSettings {
  readonly limits: DeliveryLimits
  readonly rooms: number
  /** Members of one group; above about 200 ts-mls becomes slow. */
  readonly members: number
  /** Participants of a room whose rate is kept at the same time, members or not. */
  readonly submitters: number
  readonly memberRate: Rate
  readonly roomRate: Rate
  /** Submissions of a room that wait for the disk, and their bytes. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Of the log, for members that missed entries. */
  readonly logEntries: number
  readonly logBytes: number
  /** A room whose members are all gone without a goodbye ends after this, ms. */
  readonly emptyRoomMs: number
  /** How long a commit can be skipped after it was taken, ms, and how many of the newest ones can. */
  readonly settleMs: number
  readonly undoEpochs: number
  /** Whose commit was skipped may not commit for `barMs`, doubling each time up to `barMostMs`. */
  readonly barMs: number
  readonly barMostMs: number
  /** A room's file is written anew when it is larger, and twice as large as it has to be. */
  readonly compactBytes: number
}

export const defaultSequencerSettings: SequencerSettings = {
  limits: defaultDeliveryLimits,
  rooms: 10_000,
  members: 250,
  submitters: 1000,
  memberRate: { burst: 16, perSecond: 2 },
  roomRate: { burst: 256, perSecond: 64 },
  waiting: 256,
  waitingBytes: 8 * 1024 * 1024,
  logEntries: 256,
  logBytes: 4 * 1024 * 1024,
  emptyRoomMs: 30_000,
  settleMs: 15_000,
  undoEpochs: 8,
  barMs: 2000,
  barMostMs: 5 * 60_000,
  compactBytes: 256 * 1024,
}
