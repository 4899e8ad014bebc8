/**
 * The first group of a track that is published now. Group ids have to rise with time (draft-18 section
 * 2.3.1), also over a reload of the page: who joins again under the same name must not give a location
 * other bytes, because relays remember locations and would call the track malformed (section 2.4.2).
 * 100 groups a second are more than any track of ours begins.
 *
 * @param wallClockMs ms since 1970
 */
export function firstGroupAt(wallClockMs: number): number {
  return Math.floor(wallClockMs / MS_A_GROUP)
}

const MS_A_GROUP = 10
