/** The public types of the call library. */

import type { ChatDelivery, ReceivedText } from '../chat/index.ts'
import type { AlarmName, Emoji } from '../verification/index.ts'

export type CallState = 'joining' | 'connected' | 'reconnecting' | 'left' | 'failed'

export type TrackKind = 'audio' | 'video' | 'screen' | 'screen-audio'

/** MLS cipher suites by name. */
export type SuiteName = 'x-wing' | 'classical' | 'p256'

export interface JoinOptions {
  /** The relay, e.g. `https://relay.example:4433/`. */
  readonly url: string
  /** 1 to 128 bytes of UTF-8, not starting with a dot. Whoever knows it (and is let in) is in. */
  readonly room: string
  /** Shown to the others; travels encrypted. 1 to 64 characters. */
  readonly name: string
  /** Which devices to open. Default: camera and microphone. */
  readonly media?: MediaChoice
  /** Default `auto`: WebTransport, and WebSocket where UDP is blocked. */
  readonly transport?: 'auto' | 'webtransport' | 'websocket'
  /** Suite of a room that this call creates; a room keeps its creator's. Default `x-wing`. */
  readonly suite?: SuiteName
  /** SHA-256 of the relay's certificate in hex, for one that no authority signed. */
  readonly certificateHashes?: readonly string[]
  /**
   * Admission token, where the relay asks for one: a JSON Web Token that the application's server
   * signed. Its `sub` becomes the participant's id. A function is asked at the join, and again before
   * each token ends, so that the call goes on; with a string the call ends with the token.
   */
  readonly token?: string | (() => Promise<string>)
}

export interface MediaChoice {
  readonly audio?: boolean
  readonly video?: boolean
}

export interface CallEvents {
  /** The call's state changed. */
  state: CallState
  /** Somebody came, went, or changed tracks, name or alarms. */
  participants: readonly Participant[]
  /** The group moved to a new epoch: new keys, new verification code. */
  epoch: { readonly epoch: number; readonly verificationCode: string }
  /** Somebody else wrote a text. It is text: show it by `textContent`. */
  chat: ReceivedText
  /** A text of ours has come further. */
  chatDelivered: ChatDelivery
  /** Something is wrong that a person should know of; the call goes on unless `state` says not. */
  error: CallError
}

/** What went wrong, and what a person can do about it. */
export interface CallError {
  readonly code:
    | 'permission-denied'
    | 'no-device'
    | 'device-busy'
    | 'browser-too-old'
    | 'relay-unreachable'
    | 'relay-refused'
    | 'version-unsupported'
    /** The relay wants a token, and the application gave none. */
    | 'token-required'
    /** The relay does not take the token, or took it back. */
    | 'token-refused'
    | 'token-expired'
    | 'disconnected'
    | 'keys-failed'
    | 'invalid-options'
    | 'internal'
  /** A sentence for a person. */
  readonly message: string
  /** For logs. */
  readonly detail?: string
}

export interface Participant {
  readonly id: string
  /** Empty until the participant's encrypted catalog was read. */
  readonly name: string
  readonly local: boolean
  /** Security alarms about this participant, in words. */
  readonly alarms: readonly string[]
  /** Those of them that come from comparing the group with this participant, by name. */
  readonly alarmNames: readonly AlarmName[]
  /**
   * 60 digits that this participant and we have in common, the same in every epoch: another number
   * means another key. Empty of ourselves, and until it is computed.
   */
  readonly safetyNumber: string
  readonly tracks: readonly TrackInfo[]
}

/** One track of a participant's, with figures since it began. */
export interface TrackInfo {
  readonly name: string
  readonly kind: TrackKind
  readonly direction: 'send' | 'receive'
  readonly codec: string
  /** 0 is the smallest; null for what has no renditions. */
  readonly rendition: number | null
  readonly temporalLayers: number | null
  /** Local: off by the user. Remote: off by its sender. */
  readonly muted: boolean
  readonly objects: number
  /** Payload bytes, encrypted. */
  readonly bytes: number
  readonly framesDecoded: number
  readonly framesDropped: number
  readonly decryptFailures: number
  /** ms since the last frame was encoded or decoded; null before the first. */
  readonly lastFrameAgeMs: number | null
  /** 0..1; null for video. */
  readonly audioLevel: number | null
}

/** Plain JSON; fields may be added, none renamed. */
export interface Snapshot {
  readonly state: CallState
  readonly transport: 'webtransport' | 'websocket'
  readonly epoch: number
  readonly suite: { readonly mls: string; readonly sframe: string }
  /** 30 digits, the same for every member of the epoch; empty before the first. */
  readonly verificationCode: string
  /** The same epoch as 12 pictures of 64; empty until they are computed. */
  readonly verificationEmoji: readonly Emoji[]
  /** Participant id of this page; empty while a `token` function is asked for the first time. */
  readonly self: string
  /** ms since `joinCall`; null for what has not happened yet. */
  readonly joinMs: {
    readonly connected: number | null
    readonly keys: number | null
    readonly firstPicture: number | null
    readonly firstSound: number | null
  }
  readonly participants: readonly Participant[]
  /** The last error told by the `error` event. */
  readonly error: CallError | null
}
