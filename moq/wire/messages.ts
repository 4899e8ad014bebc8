/**
 * Control messages as values (draft-18 section 10). One set of types serves every draft; what differs
 * on the wire lives in a codec (see `codec.ts`).
 */

import type { Location } from './location.ts'
import type { FullTrackName, Namespace } from './names.ts'
import type { Parameters } from './parameters.ts'
import type { Property } from './properties.ts'

/** SETUP (draft-18 section 10.3). */
export interface Setup {
  readonly type: 'SETUP'
  readonly options: readonly Property[]
}

/** GOAWAY (draft-18 section 10.4): the session is to be moved elsewhere. */
export interface Goaway {
  readonly type: 'GOAWAY'
  /** Empty: the current URI is reused. */
  readonly newSessionUri: string
  /** ms; 0 where the sender has no specific timeout. */
  readonly timeout: number
  /**
   * On the control stream only: the smallest request id that was not processed. Draft-19 has no such
   * field; its codec leaves it out.
   */
  readonly requestId?: number
}

/** SUBSCRIBE (draft-18 section 10.7). */
export interface Subscribe {
  readonly type: 'SUBSCRIBE'
  readonly requestId: number
  readonly track: FullTrackName
  readonly parameters: Parameters
}

/** TRACK_STATUS (draft-18 section 10.14). */
export interface TrackStatus {
  readonly type: 'TRACK_STATUS'
  readonly requestId: number
  readonly track: FullTrackName
  readonly parameters: Parameters
}

/** SUBSCRIBE_OK (draft-18 section 10.8). */
export interface SubscribeOk {
  readonly type: 'SUBSCRIBE_OK'
  readonly trackAlias: number
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}

/** PUBLISH (draft-18 section 10.10): offers a track to the peer. */
export interface Publish {
  readonly type: 'PUBLISH'
  readonly requestId: number
  readonly track: FullTrackName
  readonly trackAlias: number
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}

/** PUBLISH_DONE (draft-18 section 10.11): a subscription's last word from its publisher. */
export interface PublishDone {
  readonly type: 'PUBLISH_DONE'
  readonly status: number
  /** Data streams opened for the subscription, or null for "unknown" (2^62 - 1 on the wire). */
  readonly streamCount: number | null
  readonly reason: string
}

/**
 * Which objects a FETCH asks for: by locations, or up to where a subscription began (draft-18 sections
 * 10.12.1 and 10.12.2).
 */
export type FetchRange =
  | {
      readonly kind: 'standalone'
      readonly track: FullTrackName
      readonly start: Location
      /** The end plus 1; object 0 means the whole group. */
      readonly end: Location
    }
  | {
      readonly kind: 'relative-joining' | 'absolute-joining'
      readonly joiningRequestId: number
      readonly joiningStart: number
    }

/** FETCH (draft-18 section 10.12): asks for objects of the past. */
export interface Fetch {
  readonly type: 'FETCH'
  readonly requestId: number
  readonly range: FetchRange
  readonly parameters: Parameters
}

/** FETCH_OK (draft-18 section 10.13). */
export interface FetchOk {
  readonly type: 'FETCH_OK'
  readonly endOfTrack: boolean
  readonly end: Location
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}

/** PUBLISH_NAMESPACE (draft-18 section 10.15). */
export interface PublishNamespace {
  readonly type: 'PUBLISH_NAMESPACE'
  readonly requestId: number
  readonly namespace: Namespace
  readonly parameters: Parameters
}

/** SUBSCRIBE_NAMESPACE (draft-18 section 10.18). */
export interface SubscribeNamespace {
  readonly type: 'SUBSCRIBE_NAMESPACE'
  readonly requestId: number
  readonly prefix: Namespace
  readonly parameters: Parameters
}

/** SUBSCRIBE_TRACKS (draft-18 section 10.19). */
export interface SubscribeTracks {
  readonly type: 'SUBSCRIBE_TRACKS'
  readonly requestId: number
  readonly prefix: Namespace
  readonly parameters: Parameters
}

/** NAMESPACE (draft-18 section 10.16): a namespace below the prefix is published. */
export interface NamespaceFound {
  readonly type: 'NAMESPACE'
  readonly suffix: Namespace
}

/** NAMESPACE_DONE (draft-18 section 10.17): a namespace below the prefix is published no more. */
export interface NamespaceDone {
  readonly type: 'NAMESPACE_DONE'
  readonly suffix: Namespace
}

/** PUBLISH_SKIPPED from draft-19 on. */
export interface PublishBlocked {
  readonly type: 'PUBLISH_BLOCKED'
  /** Namespace suffix and track name. */
  readonly track: FullTrackName
}

/** REQUEST_UPDATE (draft-18 section 10.9). */
export interface RequestUpdate {
  readonly type: 'REQUEST_UPDATE'
  readonly requestId: number
  readonly parameters: Parameters
}

/** REQUEST_OK (draft-18 section 10.5). */
export interface RequestOk {
  readonly type: 'REQUEST_OK'
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}

/** Where else a request may be answered (draft-18 section 10.6.1). */
export interface Redirect {
  /** Empty: the current session's URI. */
  readonly connectUri: string
  readonly track: FullTrackName
}

/** REQUEST_ERROR (draft-18 section 10.6). */
export interface RequestError {
  readonly type: 'REQUEST_ERROR'
  readonly code: number
  /** ms to wait before trying again, or null when a retry is pointless. */
  readonly retryAfterMs: number | null
  readonly reason: string
  readonly redirect?: Redirect
}

/** Messages that begin a request stream (section 3.3). */
export type RequestMessage =
  | Subscribe
  | TrackStatus
  | Publish
  | Fetch
  | PublishNamespace
  | SubscribeNamespace
  | SubscribeTracks

/** Any control message; `type` tells which. */
export type ControlMessage =
  | Setup
  | Goaway
  | RequestMessage
  | SubscribeOk
  | PublishDone
  | FetchOk
  | NamespaceFound
  | NamespaceDone
  | PublishBlocked
  | RequestUpdate
  | RequestOk
  | RequestError

/** Name of a control message, as the draft writes it. */
export type MessageType = ControlMessage['type']
