/** The settings of the MLS delivery service: where it runs, and what it spends on a room. */

import { z } from 'zod'
import { countOption, type Option, sizeOption, timeOption } from './config-values.ts'
import { defaultSequencerSettings, type SequencerSettings } from './delivery/index.ts'

export interface DeliverySettings {
  /** `none`: another process serves the rooms of this relay. */
  readonly delivery: 'embedded' | 'none'
  /** Where rooms are kept over a restart; null forgets them. */
  readonly dataDir: string | null
  readonly maxGroups: number
  readonly maxGroupMembers: number
  /** Submissions at once, and each second. */
  readonly memberBurst: number
  readonly memberRate: number
  readonly roomBurst: number
  readonly roomRate: number
  /** Submissions of a room that wait for the disk, and their bytes. */
  readonly roomWaiting: number
  readonly roomWaitingBytes: number
  readonly logEntries: number
  readonly emptyRoomMs: number
}

const group = 'Delivery service (MLS):'
const defaults = defaultSequencerSettings
const where = ['embedded', 'none'] as const
const pathError = 'must be the path of a folder'

export const deliveryOptions: {
  readonly [Key in keyof DeliverySettings]: Option<DeliverySettings[Key]>
} = {
  delivery: {
    flag: 'delivery',
    value: `<${where.join('|')}>`,
    help: 'none where `node sfu/delivery/main.ts` serves the rooms of this relay',
    group,
    fallback: 'embedded',
    fallbackText: 'embedded',
    schema: z.enum(where, { error: `must be one of ${where.join(', ')}` }),
  },
  dataDir: {
    flag: 'data-dir',
    value: '<folder>',
    help: 'where rooms are kept over a restart; without it they are forgotten',
    group,
    fallback: null,
    fallbackText: null,
    schema: z
      .string({ error: pathError })
      .min(1, { error: pathError })
      .refine((text) => !text.includes('\0'), { error: pathError })
      .nullable(),
  },
  maxGroups: count('max-groups', 'rooms with an MLS group', defaults.rooms, 1_000_000),
  maxGroupMembers: count('max-group-members', 'members of one group', defaults.members, 1000),
  memberBurst: count(
    'member-burst',
    'submissions of one member at once',
    defaults.memberRate.burst,
    100_000,
  ),
  memberRate: count(
    'member-rate',
    'submissions of one member each second',
    defaults.memberRate.perSecond,
    100_000,
  ),
  roomBurst: count('room-burst', 'submissions of a room at once', defaults.roomRate.burst, 100_000),
  roomRate: count(
    'room-rate',
    'submissions of a room each second',
    defaults.roomRate.perSecond,
    100_000,
  ),
  roomWaiting: count(
    'room-waiting',
    'submissions of a room that wait for the disk',
    defaults.waiting,
    100_000,
  ),
  roomWaitingBytes: sizeOption(
    {
      flag: 'room-waiting-size',
      help: 'of these together',
      fallback: defaults.waitingBytes,
      group,
    },
    '1MiB',
    '1GiB',
  ),
  logEntries: count(
    'log-entries',
    'of a room, for members that missed some',
    defaults.logEntries,
    100_000,
  ),
  emptyRoomMs: timeOption(
    {
      flag: 'empty-room',
      help: 'how long a room waits for members that vanished',
      fallback: defaults.emptyRoomMs,
      group,
    },
    '1s',
    '24h',
  ),
}

export function sequencerSettingsOf(settings: DeliverySettings): Partial<SequencerSettings> {
  const { maxGroups, maxGroupMembers, logEntries, emptyRoomMs } = settings
  return {
    rooms: maxGroups,
    members: maxGroupMembers,
    memberRate: { burst: settings.memberBurst, perSecond: settings.memberRate },
    roomRate: { burst: settings.roomBurst, perSecond: settings.roomRate },
    waiting: settings.roomWaiting,
    waitingBytes: settings.roomWaitingBytes,
    logEntries,
    emptyRoomMs,
  }
}

function count(flag: string, help: string, fallback: number, most: number): Option<number> {
  return countOption({ flag, help, fallback, group }, 1, most)
}
