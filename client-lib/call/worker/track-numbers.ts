/** Our tracks among each other: by which number they go, and which goes first. */

/**
 * Our tracks by number: MoQT alias and SFrame context at once. What is said to the delivery service and
 * to members of other forks, on `mls` and `verify`, is not encrypted.
 */
export const TRACK_NUMBER = {
  mls: 0,
  catalog: 1,
  audio: 2,
  /** Of the smallest rendition; the others, 16 at most, follow it. */
  video: 3,
  screen: 24,
  'screen-audio': 25,
  chat: 32,
  verify: 33,
  report: 34,
} as const

/** Publisher priorities: state, sound, picture; of pictures the smallest face first, then a screen. */
export const TRACK_PRIORITY = {
  catalog: 8,
  audio: 32,
  'screen-audio': 40,
  video: 96,
  screen: 112,
} as const
