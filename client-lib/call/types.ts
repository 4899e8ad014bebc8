/** The public types of the call library. */

import type { ReceiveFailure } from '../../sframe/index.ts'
import type { ChatDelivery, ReceivedData, ReceivedText } from '../chat/index.ts'
import type { PublicKeySet } from '../keys/token-proof.ts'
import type { VideoCodecName } from '../media/codecs.ts'
import type { AlarmName, Emoji, VerificationEvent } from '../verification/index.ts'
import type { CallError } from './call-error.ts'
import type { JoinTimes } from './join-times.ts'

export type { CallError, CallErrorCode } from './call-error.ts'
export type { PublicKeySet }

/** What is captured of ourselves. */
export type InputKind = 'camera' | 'microphone'

/** Devices of which there may be several to choose from. */
export type DeviceKind = InputKind | 'speaker'

/**
 * Which devices a call uses, or will use when they are turned on; null: whichever the browser or the system
 * takes. Ids as `navigator.mediaDevices.enumerateDevices()` tells.
 */
export type DevicesInUse = Readonly<Record<DeviceKind, string | null>>

/** Another device is used than before. */
export interface DeviceChange {
  readonly kind: DeviceKind
  /** As `navigator.mediaDevices.enumerateDevices()` tells; null: none, or whichever the browser takes. */
  readonly deviceId: string | null
  /** What the browser calls it; empty where it does not say, and when there is none. */
  readonly label: string
  /**
   * `opened`: it was turned on; the browser may name all devices of the kind now. `chosen`: by `useDevice`.
   * `lost`: the one in use was disconnected, and this one has taken its place.
   */
  readonly reason: 'opened' | 'chosen' | 'lost'
}

/**
 * How far a call is; `left` and `failed` are final.
 *
 * `reconnecting`: the connection is lost, or nothing comes over it any more, and another one is tried, for
 * `JoinOptions.reconnectMs`. Everybody stays in `participants` meanwhile, as they were seen last; devices
 * go on. The page may say so; there is nothing for a person to do. `failed`: see `Snapshot.error`.
 */
export type CallState = 'joining' | 'connected' | 'reconnecting' | 'left' | 'failed'

/** What a track carries. */
export type TrackKind = 'audio' | 'video' | 'screen' | 'screen-audio'

/** MLS cipher suites by name. */
export type SuiteName = 'x-wing' | 'classical' | 'p256'

/** What `joinCall` takes. */
export interface JoinOptions {
  /** The relay, e.g. `https://relay.example:4433/`. */
  readonly url: string
  /** 1 to 128 bytes of UTF-8, not starting with a dot. Whoever knows it (and is let in) is in. */
  readonly room: string
  /** Shown to the others; travels encrypted. 1 to 64 characters. */
  readonly name: string
  /** Which devices to open. Default: camera and microphone. */
  readonly media?: MediaChoice
  /**
   * Whether the camera is sent in several sizes at once, of which the relay forwards to each receiver
   * the one that it shows and its path bears. Default true: three sizes up to 1280 x 720, two where the
   * camera gives less than 960 pixels, one below 640. Sizes that nobody is shown are not encoded. False:
   * one size, 640 x 360.
   */
  readonly simulcast?: boolean
  /**
   * Bits a second that the camera may take, all sizes together; 30,000 to 100,000,000. Default: what the
   * sizes are worth, about 2.9 million at 720p. The path may allow less.
   */
  readonly maxVideoBitrate?: number
  /**
   * Video codecs that are preferred for what we send, the best first: it is the first that our browser can
   * encode and everybody in the call can decode; where none is, one of the others. Default `vp8`, which
   * costs the least time.
   */
  readonly videoCodecs?: readonly VideoCodecName[]
  /**
   * Default `auto`: WebTransport, and WebSocket where UDP does not get through within 2 s. What worked
   * is tried first the next time (for an hour, in this browser and for this relay).
   */
  readonly transport?: 'auto' | 'webtransport' | 'websocket'
  /** Suite of a room that this call creates; a room keeps its creator's. Default `x-wing`. */
  readonly suite?: SuiteName
  /** SHA-256 of the relay's certificate in hex, for one that no authority signed. */
  readonly certificateHashes?: readonly string[]
  /**
   * Asked for the hashes before a lost connection is tried again, as a relay that makes its own
   * certificate has another one after a restart. Default: those that were given hold.
   */
  readonly renewCertificateHashes?: () => Promise<readonly string[]>
  /**
   * How long a lost connection is tried again before the call ends with `disconnected`, ms; 1000 to a
   * day. Default 5 minutes.
   */
  readonly reconnectMs?: number
  /**
   * Admission token, where the relay asks for one: a JSON Web Token that the application's server
   * signed. Its `sub` becomes the participant's id. A function is asked at the join, and again before
   * each token ends, so that the call goes on; with a string the call ends with the token. What the
   * function is told lets the server bind the token to our key (`cnf.jkt`), so that nobody else can
   * use it: then it goes into our MLS credential, and the relay asks us to prove the key.
   */
  readonly token?: string | ((request: TokenRequest) => Promise<string>)
  /**
   * Public keys of the application's server. With them every member of the group has to show a token
   * that this server signed for its id, its room and its signature key; one who has none gets no keys.
   * Build them into the page: those that the relay's `/config.json` tells protect against other callers,
   * but a malicious relay can tell its own, and sign for a member of its own. All tokens of the room
   * have to be bound to keys then, ours too, and all callers have to ask for the suite of the room.
   */
  readonly issuerKeys?: PublicKeySet
  /** How the group's keys are kept; for tests and for operators who know why. */
  readonly keySettings?: KeySettings
  readonly chatSettings?: ChatSettings
}

/** Limits of what this page sends beside media. */
export interface ChatSettings {
  /** Largest data that `sendData` takes, bytes: 1 to 65536, which is what receivers take. Default 16384. */
  readonly maxDataBytes?: number
}

/** What a `token` function is told. */
export interface TokenRequest {
  /**
   * RFC 7638 thumbprint of the signature key that this call uses in the group: the value for `cnf.jkt`.
   * The same over a reload of the page, another one in every tab and room.
   */
  readonly thumbprint: string
  /**
   * Id that this page had in the room before it was reloaded, or null. A token for it brings the same
   * member back at once; given one for another id, the call makes another key and asks again.
   */
  readonly participant: string | null
}

/** All in ms; see `MemberSettings` in client-lib/keys for those that are not given. */
export interface KeySettings {
  /** How often we renew our keys; 0: never. Default 10 minutes. */
  readonly updateMs?: number
  /** When somebody whose connection is gone is removed from the group. Default 10 s. */
  readonly graceMs?: number
  /** When nothing was heard for this long, the log is looked at; 0: never. Default 20 s. */
  readonly checkMs?: number
}

/**
 * Which devices to open at the join; both unless told. Others can be opened later by `setMicrophone` and
 * `setCamera`. True: whichever the browser takes; one that is chosen and gone is replaced by another.
 */
export interface MediaChoice {
  readonly audio?: boolean | DeviceChoice
  readonly video?: boolean | DeviceChoice
  /** Where the others are heard; default: where the system says. */
  readonly speaker?: DeviceChoice
}

/** As `navigator.mediaDevices.enumerateDevices()` tells. */
export interface DeviceChoice {
  readonly deviceId: string
}

/** The events of a `Call` and what a listener is given. */
export interface CallEvents {
  /** The call's state changed. */
  state: CallState
  /** Somebody came, went, or changed tracks, name or alarms. */
  participants: readonly Participant[]
  /** Who speaks, and who did before: `Call.activeSpeakers` changed. */
  activeSpeakers: readonly string[]
  /** The group moved to a new epoch: new keys, new verification code. */
  epoch: { readonly epoch: number; readonly verificationCode: string }
  /**
   * Something changed who has the keys, or how far that can be trusted: `Call.verificationHistory` has it,
   * too. What is not of level `info` is to be shown to the person.
   */
  verification: VerificationEvent
  /** Somebody else wrote a text. It is text: show it by `textContent`. */
  chat: ReceivedText
  /**
   * Somebody else's page sent data. It is authentic, but made by its sender: check it like anything from
   * outside.
   */
  data: ReceivedData
  /** A text or data of ours has come further. */
  chatDelivered: ChatDelivery
  /** Another camera, microphone or speaker is used, for the reason that is told. */
  device: DeviceChange
  /** Something is wrong that a person should know of; the call goes on unless `state` says not. */
  error: CallError
}

/** Somebody in the call, ourselves too. */
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
  /** Now: as the relay finds by the levels of sound, else by the level of what is heard here. */
  readonly speaking: boolean
  readonly tracks: readonly TrackInfo[]
  /** Of others: objects that were not decrypted, of all tracks since they came, of the catalog too. */
  readonly decryptFailures?: DecryptFailures
}

/**
 * Why an object of somebody's was not decrypted. Nothing of it is used; a few while people come and go, or
 * packets are late, need not mean harm.
 */
export type DecryptFailure =
  /** What SFrame refuses: a key id for which there is no key, a counter that came before, and so on. */
  | ReceiveFailure
  /** It was encrypted by another member than the participant whose track it is. */
  | 'foreign-key'
  /** Its properties cannot be read. */
  | 'unreadable'

/** How many objects were not decrypted, by what was wrong. */
export type DecryptFailures = Readonly<Record<DecryptFailure, number>>

/**
 * A member of the group: whoever has the keys of the call, shown as a participant or not. Public keys and
 * ids are what the group agrees on; the name is what the member says of itself.
 */
export interface GroupMember {
  /** Leaf index in the MLS group; the key id of every frame that the member encrypts carries it. */
  readonly leaf: number
  /** Participant id. */
  readonly id: string
  /** Empty until the participant's encrypted catalog was read. */
  readonly name: string
  readonly local: boolean
  /** RFC 7638 thumbprint of the signature key, 43 characters; a token names it as `cnf.jkt`. */
  readonly fingerprint: string
  readonly since: {
    /** The first epoch in which we saw this leaf: never before we came in ourselves. */
    readonly epoch: number
    /** When that epoch came to us, ms since the Unix epoch by our clock. */
    readonly time: number
    /** Whether the member was in the group before us. */
    readonly wasBefore: boolean
  }
}

/** One track of a participant's, with figures since it began. */
export interface TrackInfo {
  readonly name: string
  readonly kind: TrackKind
  readonly direction: 'send' | 'receive'
  readonly codec: string
  /** 0 is the smallest, of a remote camera the one that is shown; null for what has no renditions. */
  readonly rendition: number | null
  /** Local: that are sent. Remote: that came of late, null before the first frame and of sound. */
  readonly temporalLayers: number | null
  /** Local: off by the user. Remote: off by its sender. */
  readonly muted: boolean
  readonly objects: number
  /** Payload bytes, encrypted. */
  readonly bytes: number
  readonly framesDecoded: number
  readonly framesDropped: number
  readonly decryptFailures: number
  /** Of received tracks: the same by what was wrong. */
  readonly decryptFailuresByReason?: DecryptFailures
  /** ms since the last frame was encoded or decoded; null before the first. */
  readonly lastFrameAgeMs: number | null
  /** 0..1; null for video. */
  readonly audioLevel: number | null
  /**
   * Of received sound: how long it is held back because its arrival varies, or its picture takes longer,
   * ms; null before any is played.
   */
  readonly jitterBufferMs?: number | null
  /** Of received pictures: how much later than its sound it is shown, ms; null without sound or canvas. */
  readonly avSkewMs?: number | null
  /** The epoch of the key under which the newest frame came or is sent; null before the first. */
  readonly epoch?: number | null
  /** Of what is received: how much longer than at best the newest object was on its way, ms. */
  readonly queueMs?: number | null
  /** Of what is received: objects that did not come by themselves; of sound, as far as numbers tell. */
  readonly lost?: number
  /** Of received video: the largest that the picture may be, pixels; null where the sender does not say. */
  readonly size?: { readonly width: number; readonly height: number } | null
  /** Of received video: what became of datagrams that did not come in their turn. */
  readonly repairs?: RepairFigures
  /** Of video that we send: how it is encoded now. */
  readonly encoding?: EncodingInfo
}

/** Objects that a receiver missed. */
export interface RepairFigures {
  /** Came after they were asked for again. */
  readonly repaired: number
  /** Came late by themselves. */
  readonly late: number
  /** Did not come in time, or were not asked for as it would have been in vain. */
  readonly givenUp: number
}

/** How a rendition of our camera is encoded. */
export interface EncodingInfo {
  /** False while nobody watches it, the uplink does not bear it, or the camera is off. */
  readonly active: boolean
  /** Pixels, at most. */
  readonly width: number
  readonly height: number
  /** Frames that were encoded in the last second. */
  readonly framesPerSecond: number
  /** What is planned: bits a second, 0 while not active, and frames a second. */
  readonly targetBitrate: number
  readonly targetFramerate: number
}

/** The way between this page and the relay. */
export interface PathInfo {
  /** There and back, ms; null before it was measured. */
  readonly rttMs: number | null
  /** How much longer than at best what comes waits on its way now, ms; null while nobody measures it. */
  readonly queueMs: number | null
}

/** How the connection to the relay is, for a page that shows it. */
export interface ConnectionInfo {
  /** How often a connection was replaced by another one. */
  readonly reconnects: number
  /** For how long there has been none that works, ms; null while there is one. */
  readonly lostMs: number | null
  /** How long the last such time was, ms; null before the first. 0: nobody noticed (GOAWAY). */
  readonly lastLostMs: number | null
}

/** Plain JSON; fields may be added, none renamed. */
export interface Snapshot {
  readonly state: CallState
  /** What the call goes over now, or went over last. */
  readonly transport: 'webtransport' | 'websocket'
  readonly connection: ConnectionInfo
  readonly epoch: number
  readonly suite: { readonly mls: string; readonly sframe: string }
  /** 30 digits, the same for every member of the epoch; empty before the first. */
  readonly verificationCode: string
  /** The same epoch as 12 pictures of 64; empty until they are computed. */
  readonly verificationEmoji: readonly Emoji[]
  /** Participant id of this page; empty until it is known, see `Call.self`. */
  readonly self: string
  /** ms since `joinCall`; null for what has not happened yet. */
  readonly joinMs: JoinTimes
  readonly path: PathInfo
  readonly participants: readonly Participant[]
  /** Who is in the group in this epoch, by leaf index; empty before the first. */
  readonly roster: readonly GroupMember[]
  /** What changed in the group, the newest first; see `Call.verificationHistory`. */
  readonly verificationHistory: readonly VerificationEvent[]
  /** The last error told by the `error` event. */
  readonly error: CallError | null
}
