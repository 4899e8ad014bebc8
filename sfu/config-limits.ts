/**
 * The settings that bound what one session, one track and the cache may cost: a flag for each limit of
 * the session and of the relay, with that limit's own default.
 */

import { DEFAULT_LIMITS, type SessionLimits } from '../moq/session/index.ts'
import { DEFAULT_PROOF_WINDOW_MS } from './admission/key-proof.ts'
import { type AdmissionLimits, DEFAULT_ADMISSION_LIMITS } from './admission/session-admission.ts'
import { countOption, type Option, sizeOption, timeOption } from './config-values.ts'
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from './relay/limits.ts'

/** Limits that have a setting elsewhere: `--handshake-timeout`, `--session-buffer`. */
type SessionSettings = Omit<SessionLimits, 'setupMs'>
type RelaySettings = Omit<RelayLimits, 'maxEgressBytes'>
type AdmissionSettings = Pick<AdmissionLimits, 'tokenCacheBytes'> & {
  readonly proofWindowMs: number
}

/** Times are in milliseconds and sizes in bytes. */
export interface LimitSettings extends SessionSettings, RelaySettings, AdmissionSettings {}

const OF_SESSION = 'Limits of a session:'
const OF_RELAY = 'Limits of the relay:'
const ofSession = <K extends keyof SessionSettings>(key: K, flag: string, help: string) => ({
  flag,
  help,
  fallback: DEFAULT_LIMITS[key],
  group: OF_SESSION,
})
const ofRelay = <K extends keyof RelaySettings>(
  key: K,
  flag: string,
  help: string,
  group = OF_SESSION,
) => ({ flag, help, fallback: DEFAULT_RELAY_LIMITS[key], group })

export const limitOptions: { readonly [Key in keyof LimitSettings]: Option<number> } = {
  maxRequests: countOption(
    ofSession('maxRequests', 'max-requests', 'requests open at one time'),
    1,
    1_000_000,
  ),
  maxSubscriptions: countOption(
    ofRelay('maxSubscriptions', 'max-subscriptions', 'subscriptions'),
    0,
    1_000_000,
  ),
  maxNamespaces: countOption(
    ofRelay('maxNamespaces', 'max-namespaces', 'namespaces that it publishes'),
    0,
    1_000_000,
  ),
  maxPublishedTracks: countOption(
    ofRelay('maxPublishedTracks', 'max-published-tracks', 'tracks that it offers with PUBLISH'),
    0,
    1_000_000,
  ),
  maxWatches: countOption(
    ofRelay(
      'maxWatches',
      'max-watches',
      'subscriptions to namespaces, and as many to their tracks',
    ),
    0,
    1_000_000,
  ),
  maxFetches: countOption(
    ofRelay('maxFetches', 'max-fetches', 'fetches that are not finished'),
    0,
    1_000_000,
  ),
  maxReports: countOption(
    ofRelay(
      'maxReports',
      'max-reports',
      'reports of what it shows and gets that are read a second',
    ),
    1,
    1000,
  ),
  lastN: countOption(
    ofRelay(
      'lastN',
      'last-n',
      'cameras that one caller is shown: of those who spoke last',
      OF_RELAY,
    ),
    1,
    1_000_000,
  ),
  maxDataStreams: countOption(
    ofSession('maxDataStreams', 'max-data-streams', 'streams of media open at one time'),
    1,
    1_000_000,
  ),
  maxObjectBytes: sizeOption(
    ofSession('maxObjectBytes', 'max-object-size', 'largest object taken'),
    '1KiB',
    '1GiB',
  ),
  maxPropertiesBytes: sizeOption(
    ofSession('maxPropertiesBytes', 'max-properties-size', 'properties of an object or track'),
    '64B',
    '64KiB',
  ),
  maxNameBytes: sizeOption(
    ofSession('maxNameBytes', 'max-name-size', 'full name of a track'),
    '64B',
    '4KiB',
  ),
  controlBytesPerSecond: sizeOption(
    ofSession('controlBytesPerSecond', 'control-rate', 'bytes of requests a second; more wait'),
    '1KiB',
    '1GiB',
  ),
  controlBurstBytes: sizeOption(
    ofSession('controlBurstBytes', 'control-burst', 'bytes of requests at once'),
    '64KiB',
    '1GiB',
  ),
  maxUnreadRequestBytes: sizeOption(
    ofSession(
      'maxUnreadRequestBytes',
      'max-unread-answers',
      'answers that one request leaves unread',
    ),
    '16KiB',
    '1GiB',
  ),
  maxRequestUpdates: countOption(
    ofSession('maxRequestUpdates', 'max-updates', 'updates of one request without an answer'),
    1,
    1_000_000,
  ),
  earlyStreams: countOption(
    ofSession('earlyStreams', 'early-streams', 'streams that wait for their track to be known'),
    0,
    100_000,
  ),
  earlyDatagrams: countOption(
    ofSession('earlyDatagrams', 'early-datagrams', 'datagrams that wait for it'),
    0,
    100_000,
  ),
  earlyMs: timeOption(ofSession('earlyMs', 'early-time', 'how long these wait'), '10ms', '1m'),
  dataStreamMs: timeOption(
    ofSession('dataStreamMs', 'stream-timeout', 'how long a stream may be silent inside an object'),
    '100ms',
    '10m',
  ),
  tokenCacheBytes: sizeOption(
    {
      flag: 'token-cache',
      help: 'tokens that it registers, with --auth; 0B for none',
      fallback: DEFAULT_ADMISSION_LIMITS.tokenCacheBytes,
      group: OF_SESSION,
    },
    '0B',
    '1MiB',
  ),
  proofWindowMs: timeOption(
    {
      flag: 'token-proof-window',
      help: "how far a caller's clock may be off, with a token that is bound to a key",
      fallback: DEFAULT_PROOF_WINDOW_MS,
      group: OF_RELAY,
    },
    '1s',
    '10m',
  ),
  maxRendezvousMs: timeOption(
    ofRelay(
      'maxRendezvousMs',
      'max-rendezvous-time',
      'how long a subscription may wait for a publisher',
      OF_RELAY,
    ),
    '0ms',
    '1h',
  ),
  maxAnswerMs: timeOption(
    ofRelay(
      'maxAnswerMs',
      'max-answer-time',
      'how long a publisher may leave a subscription unanswered',
      OF_RELAY,
    ),
    '100ms',
    '1h',
  ),
  maxSubscribersPerTrack: countOption(
    ofRelay(
      'maxSubscribersPerTrack',
      'max-subscribers-per-track',
      'subscriptions of one track in all sessions',
      OF_RELAY,
    ),
    1,
    1_000_000,
  ),
  maxCacheBytes: sizeOption(
    ofRelay('maxCacheBytes', 'cache-bytes', 'objects kept for late joiners', OF_RELAY),
    '0B',
    '64GiB',
  ),
  maxCacheBytesPerTrack: sizeOption(
    ofRelay('maxCacheBytesPerTrack', 'cache-bytes-per-track', 'of these, of one track', OF_RELAY),
    '0B',
    '64GiB',
  ),
  maxCacheObjects: countOption(
    ofRelay('maxCacheObjects', 'cache-objects', 'objects kept or remembered', OF_RELAY),
    1,
    100_000_000,
  ),
  maxCacheObjectsPerTrack: countOption(
    ofRelay(
      'maxCacheObjectsPerTrack',
      'cache-objects-per-track',
      'of these, of one track',
      OF_RELAY,
    ),
    1,
    100_000_000,
  ),
  keyFrameRequestMs: timeOption(
    ofRelay(
      'keyFrameRequestMs',
      'key-frame-interval',
      'least time between two requests for a key frame of one track',
      OF_RELAY,
    ),
    '10ms',
    '1m',
  ),
  joinWindowMs: timeOption(
    ofRelay(
      'joinWindowMs',
      'join-window',
      'oldest key frame that a new subscriber begins with; 0ms to ask for one always',
      OF_RELAY,
    ),
    '0ms',
    '1m',
  ),
  feedbackMs: timeOption(
    ofRelay(
      'feedbackMs',
      'feedback-interval',
      'time between two feedbacks to a publisher of a call',
      OF_RELAY,
    ),
    '100ms',
    '10s',
  ),
  maxVoices: countOption(
    ofRelay(
      'maxVoices',
      'max-voices',
      'participants of a room whose sound is followed to know who speaks',
      OF_RELAY,
    ),
    1,
    100_000,
  ),
}

/** Limits of each session, from the settings. */
export function sessionLimitsOf(
  settings: SessionSettings & { readonly handshakeTimeoutMs: number },
): SessionLimits {
  return {
    maxObjectBytes: settings.maxObjectBytes,
    maxPropertiesBytes: settings.maxPropertiesBytes,
    maxNameBytes: settings.maxNameBytes,
    maxRequests: settings.maxRequests,
    controlBytesPerSecond: settings.controlBytesPerSecond,
    controlBurstBytes: settings.controlBurstBytes,
    maxDataStreams: settings.maxDataStreams,
    earlyStreams: settings.earlyStreams,
    earlyDatagrams: settings.earlyDatagrams,
    earlyMs: settings.earlyMs,
    setupMs: settings.handshakeTimeoutMs,
    dataStreamMs: settings.dataStreamMs,
    maxUnreadRequestBytes: settings.maxUnreadRequestBytes,
    maxRequestUpdates: settings.maxRequestUpdates,
  }
}

/** Limits of the relay, from the settings. */
export function relayLimitsOf(
  settings: RelaySettings & { readonly sessionBufferBytes: number },
): RelayLimits {
  return {
    maxEgressBytes: settings.sessionBufferBytes,
    maxRendezvousMs: settings.maxRendezvousMs,
    maxAnswerMs: settings.maxAnswerMs,
    maxNamespaces: settings.maxNamespaces,
    maxSubscriptions: settings.maxSubscriptions,
    maxSubscribersPerTrack: settings.maxSubscribersPerTrack,
    maxPublishedTracks: settings.maxPublishedTracks,
    maxWatches: settings.maxWatches,
    maxFetches: settings.maxFetches,
    maxCacheBytes: settings.maxCacheBytes,
    maxCacheBytesPerTrack: Math.min(settings.maxCacheBytesPerTrack, settings.maxCacheBytes),
    maxCacheObjects: settings.maxCacheObjects,
    maxCacheObjectsPerTrack: Math.min(settings.maxCacheObjectsPerTrack, settings.maxCacheObjects),
    keyFrameRequestMs: settings.keyFrameRequestMs,
    joinWindowMs: settings.joinWindowMs,
    feedbackMs: settings.feedbackMs,
    maxVoices: settings.maxVoices,
    maxReports: settings.maxReports,
    lastN: settings.lastN,
  }
}

/** Limits of each session's right, from the settings. */
export function admissionLimitsOf(
  settings: Pick<AdmissionSettings, 'tokenCacheBytes'> & { readonly handshakeTimeoutMs: number },
): Partial<AdmissionLimits> {
  const { tokenCacheBytes, handshakeTimeoutMs } = settings
  return { tokenCacheBytes, firstTokenMs: handshakeTimeoutMs }
}
