/** The settings that bound what the ops port answers, and say when the relay is not ready. */

import { countOption, type Option, timeOption } from './config-values.ts'
import { ILL_LAG_MS } from './operate/event-loop.ts'
import { DEFAULT_ROOMS_BOUNDS, type RoomsBounds } from './operate/rooms-view.ts'

/** Times are in milliseconds. */
export interface OperateSettings extends RoomsBounds {
  /** Lateness of the event loop from which on no new sessions should be sent here. */
  readonly illLagMs: number
}

const GROUP = 'Limits of the ops port:'
const ofRooms = (key: keyof RoomsBounds, flag: string, help: string) => ({
  flag,
  help,
  fallback: DEFAULT_ROOMS_BOUNDS[key],
  group: GROUP,
})

export const operateOptions: { readonly [Key in keyof OperateSettings]: Option<number> } = {
  maxRoomsShown: countOption(
    ofRooms('maxRoomsShown', 'rooms-shown', 'rooms in one answer of /rooms'),
    1,
    100_000,
  ),
  maxEntriesShown: countOption(
    ofRooms('maxEntriesShown', 'rooms-entries', 'entries of each list of a room'),
    1,
    100_000,
  ),
  maxEntriesShownInAll: countOption(
    ofRooms('maxEntriesShownInAll', 'rooms-entries-in-all', 'entries of all lists of one answer'),
    1,
    10_000_000,
  ),
  illLagMs: timeOption(
    {
      flag: 'ready-lag',
      help: 'lateness of the event loop (99th percentile of 5 s) from which on it is not ready',
      fallback: ILL_LAG_MS,
      group: GROUP,
    },
    '10ms',
    '1m',
  ),
}

/** Bounds of `/rooms`, from the settings. */
export function roomsBoundsOf(settings: RoomsBounds): RoomsBounds {
  const { maxRoomsShown, maxEntriesShown, maxEntriesShownInAll } = settings
  return { maxRoomsShown, maxEntriesShown, maxEntriesShownInAll }
}
