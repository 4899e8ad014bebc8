/** What sessions and tracks may cost the relay. Each bound has a name, so that a hit can be counted. */

import { DEFAULT_METER } from '../feedback/meter.ts'
import { DEFAULT_JOIN_LIMITS, REQUEST_INTERVAL_MS } from '../forward/gate/index.ts'
import { DEFAULT_SPEAKER } from '../speaker/settings.ts'

export interface RelayLimits {
  /** Bytes that may wait for one session; beyond it objects are dropped, which is counted as such. */
  readonly maxEgressBytes: number
  /** Longest time for which a subscription waits for a publisher, ms. */
  readonly maxRendezvousMs: number
  /** Longest time for which a publisher may leave a SUBSCRIBE of ours unanswered, ms. */
  readonly maxAnswerMs: number
  /** Namespaces that one session may publish. */
  readonly maxNamespaces: number
  /** Subscriptions of one session, those that wait for a publisher and those by PUBLISH included. */
  readonly maxSubscriptions: number
  /** Subscriptions of one track in all sessions. */
  readonly maxSubscribersPerTrack: number
  /** Tracks that one session may publish with PUBLISH. */
  readonly maxPublishedTracks: number
  /** SUBSCRIBE_NAMESPACE of one session, and as many SUBSCRIBE_TRACKS. */
  readonly maxWatches: number
  /** FETCH of one session that are not finished. */
  readonly maxFetches: number
  /** Bytes of objects kept for late joiners, in all and of one track. */
  readonly maxCacheBytes: number
  readonly maxCacheBytesPerTrack: number
  /** Objects that are kept or remembered, in all and of one track. */
  readonly maxCacheObjects: number
  readonly maxCacheObjectsPerTrack: number
  /** Least time between two requests of the relay's for a key frame of one track, ms. */
  readonly keyFrameRequestMs: number
  /** Oldest key frame with whose group a new subscriber begins at once, ms; 0 for none. */
  readonly joinWindowMs: number
  /** Time between two feedbacks to a publisher, ms. */
  readonly feedbackMs: number
  /** Participants of a room whose sound is followed to know who speaks. */
  readonly maxVoices: number
  /** Reports of one session that are read, a second and at once. */
  readonly maxReports: number
  /** Cameras that a session is shown at most, where the relay chooses. */
  readonly lastN: number
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  maxEgressBytes: 16 * 1024 * 1024,
  maxRendezvousMs: 30_000,
  maxAnswerMs: 30_000,
  maxNamespaces: 100,
  maxSubscriptions: 1000,
  maxSubscribersPerTrack: 10_000,
  maxPublishedTracks: 200,
  maxWatches: 100,
  maxFetches: 100,
  maxCacheBytes: 256 * 1024 * 1024,
  maxCacheBytesPerTrack: 8 * 1024 * 1024,
  maxCacheObjects: 1_000_000,
  maxCacheObjectsPerTrack: 20_000,
  keyFrameRequestMs: REQUEST_INTERVAL_MS,
  joinWindowMs: DEFAULT_JOIN_LIMITS.maxAgeMs,
  feedbackMs: DEFAULT_METER.intervalMs,
  maxVoices: DEFAULT_SPEAKER.maxVoices,
  maxReports: 20,
  lastN: 100,
}

/** Which bound was hit; the values of the label `limit` in the metrics. */
export const RELAY_LIMIT_NAMES = [
  'rendezvous',
  'answer',
  'namespaces',
  'subscriptions',
  'track-subscribers',
  'published-tracks',
  'watches',
  'fetches',
  'voices',
  'reports',
  'cache-bytes',
  'cache-track-bytes',
  'cache-objects',
  'cache-track-objects',
] as const

export type RelayLimitName = (typeof RELAY_LIMIT_NAMES)[number]

/** When a request that was refused for a limit may be tried again, ms (section 10.6). */
export const RETRY_AFTER_MS = 10_000
