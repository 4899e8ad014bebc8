/** What a call's page and its worker tell each other. */

import type {
  ChatData,
  ChatDelivery,
  ChatErrorCode,
  ChatText,
  ReceivedData,
  ReceivedText,
} from '../chat/index.ts'
import type { FrameSource } from '../media/capture/frame-source.ts'
import type { SampleSource } from '../media/capture/sample-source.ts'
import type { CaptureFormat } from '../media/renditions.ts'
import type { VerificationEvent } from '../verification/index.ts'
import type { JoinStep } from './join-times.ts'
import type { CompleteView, PictureSource } from './participant-view.ts'
import type { ReadToken } from './token.ts'
import type {
  CallError,
  CallState,
  JoinOptions,
  Participant,
  Snapshot,
  SuiteName,
  TrackKind,
} from './types.ts'

export type WorkerOptions = Omit<JoinOptions, 'media' | 'token' | 'renewCertificateHashes'> & {
  readonly participantId: string
  readonly token: ReadToken | null
  /** The page can be asked for further tokens. */
  readonly renewsToken: boolean
  /** The page can be asked for the relay's newest certificate hashes. */
  readonly renewsHashes: boolean
  /** What worked with this relay of late. */
  readonly usualTransport: 'webtransport' | 'websocket' | null
}

/** Before our seat is known; a null id is that of the seat. */
export type JoinWish = Omit<WorkerOptions, 'participantId'> & {
  readonly participantId: string | null
}

/** What a page expects that may join soon. */
export interface Preparations {
  readonly suite: SuiteName
  /** Null where it is not known yet. */
  readonly relay: { readonly url: string; readonly certificateHashes: readonly string[] } | null
}

export interface SeatWish {
  readonly room: string
  /** The seat from before a reload. */
  readonly seat: string | null
  readonly suite: SuiteName
  /** Whether an admission token is to be bound to our signature key. */
  readonly wantsKeys: boolean
}

/** A camera: where its frames come from, and what it said of them when it was opened. */
export interface CapturedVideo {
  readonly frames: FrameSource
  readonly format: CaptureFormat
}

/** Whether the painter draws a picture, or the page; both where it is on several canvases. */
export interface ShownBy {
  readonly painter: boolean
  readonly page: boolean
}

export type ToWorker =
  /** Before all others, as often as there is something new; there is no answer. */
  | { readonly type: 'prepare'; readonly preparations: Preparations }
  /** The first of all; the answer is `seated` or `no-seat`. A second one gives the first seat up. */
  | { readonly type: 'seat'; readonly wish: SeatWish }
  /** The second; the seat need not be there yet. */
  | { readonly type: 'join'; readonly options: JoinWish }
  /** A camera is open, or another one; its source is transferred. */
  | { readonly type: 'capture-video'; readonly video: CapturedVideo }
  /** A microphone is open, or another one; its source is transferred. */
  | { readonly type: 'capture-audio'; readonly samples: SampleSource }
  /** The device is let go of, and so is what was given of it. */
  | { readonly type: 'release'; readonly kind: 'audio' | 'video' }
  /** A screen is captured; the sources are transferred. */
  | { readonly type: 'share'; readonly frames: FrameSource; readonly sound: SampleSource | null }
  | { readonly type: 'unshare' }
  | { readonly type: 'mute'; readonly kind: 'audio' | 'video'; readonly muted: boolean }
  /** How the page shows a picture of a participant's. */
  | {
      readonly type: 'view'
      readonly participant: string
      readonly source: PictureSource
      readonly view: CompleteView
    }
  /** The answer to `sound-wanted`; the port is transferred. */
  | { readonly type: 'sound'; readonly source: string; readonly port: MessagePort }
  /** The answer to `token-wanted`; null when there is none now. */
  | { readonly type: 'token'; readonly token: ReadToken | null }
  /** To be answered by `chat-sent` with the same number. */
  | { readonly type: 'chat'; readonly request: number; readonly text: string }
  /** To be answered by `data-sent` with the same number; the bytes are a copy. */
  | {
      readonly type: 'data'
      readonly request: number
      readonly topic: string
      readonly bytes: Uint8Array
    }
  /** The answer to `hashes-wanted`; null when they could not be had. */
  | { readonly type: 'hashes'; readonly hashes: readonly string[] | null }
  /** What the page sees of the machine: it is worth a look whether the connection still works. */
  | { readonly type: 'hint'; readonly hint: 'network-changed' | 'awake' }
  /** Where the frames go that the painter draws, each a `PaintedFrame`; the port is transferred. */
  | { readonly type: 'painter'; readonly frames: MessagePort }
  /** Who draws a picture from now on. */
  | {
      readonly type: 'show'
      readonly participant: string
      readonly source: PictureSource
      readonly by: ShownBy
    }
  | { readonly type: 'leave' }
  /** The page goes, and may be back in a moment. */
  | { readonly type: 'suspend' }

/** The part of a snapshot that the worker knows. */
export type WorkerStatus = Pick<
  Snapshot,
  | 'transport'
  | 'connection'
  | 'path'
  | 'epoch'
  | 'suite'
  | 'verificationCode'
  | 'verificationEmoji'
  | 'roster'
> & {
  readonly state: CallState
  readonly connected: boolean
  readonly participants: readonly Participant[]
  /** Participant ids, the newest speaker first. */
  readonly activeSpeakers: readonly string[]
}

export type FromWorker =
  /** The first of all. `readsTracks`: a track that the worker is given can be read there. */
  | { readonly type: 'abilities'; readonly readsTracks: boolean }
  /** `thumbprint` is that of our signature key, where it was wanted; `participant` had it before. */
  | {
      readonly type: 'seated'
      readonly seat: string
      readonly thumbprint: string | null
      readonly participant: string | null
    }
  | { readonly type: 'no-seat'; readonly error: CallError }
  | { readonly type: 'status'; readonly status: WorkerStatus }
  | { readonly type: 'error'; readonly error: CallError }
  /** A picture that the page draws itself, transferred; whoever takes it closes it. */
  | {
      readonly type: 'picture'
      readonly participant: string
      readonly source: PictureSource
      readonly frame: VideoFrame
    }
  /** A track of sound begins: the page opens a source for it. */
  | { readonly type: 'sound-wanted'; readonly source: string }
  | { readonly type: 'sound-ended'; readonly source: string }
  /** The token in use ends soon: the page answers with `token`. */
  | { readonly type: 'token-wanted' }
  /** A new connection is about to be tried: the page answers with `hashes`. */
  | { readonly type: 'hashes-wanted' }
  /** A step of the join is reached; `at` is in ms since the Unix epoch, as this machine counts. */
  | { readonly type: 'reached'; readonly step: JoinStep; readonly at: number }
  | {
      readonly type: 'chat-sent'
      readonly request: number
      readonly result: ChatText | ChatErrorCode
    }
  | {
      readonly type: 'data-sent'
      readonly request: number
      readonly result: ChatData | ChatErrorCode
    }
  | { readonly type: 'chat'; readonly text: ReceivedText }
  /** The bytes are transferred. */
  | { readonly type: 'data'; readonly data: ReceivedData }
  | { readonly type: 'chat-delivered'; readonly delivery: ChatDelivery }
  /** What changed in the group, the newest first; at each change. */
  | { readonly type: 'history'; readonly events: readonly VerificationEvent[] }
  /** The answer to `leave`: the goodbye is said and the connection closed. */
  | { readonly type: 'left' }

/** Names a track of sound among all of the call's. */
export function soundSource(participantId: string, kind: TrackKind): string {
  return `${participantId}/${kind}`
}

/** Names a picture among all of the call's. */
export function pictureName(participantId: string, source: PictureSource): string {
  return `${source} ${participantId}`
}

/** The picture to which a sound belongs. @param source as of `soundSource` */
export function pictureOfSound(source: string): string {
  const end = source.lastIndexOf('/')
  const kind = source.slice(end + 1)
  return pictureName(source.slice(0, end), kind === 'screen-audio' ? 'screen' : 'camera')
}
