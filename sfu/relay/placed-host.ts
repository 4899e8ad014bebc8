/**
 * Of several relays that share the rooms, each serves some. What a client asks of a room of another one is
 * answered with where that is: REDIRECT (draft-18 section 10.6.1), or GOAWAY on the request (section 10.4)
 * where a redirect is no answer.
 */

import type {
  IncomingFetch,
  IncomingNamespacePublication,
  IncomingNamespaceSubscription,
  IncomingPublish,
  IncomingSubscribe,
  IncomingTrackStatus,
  IncomingTracksSubscription,
} from '../../moq/session/index.ts'
import type { CloseInfo } from '../../moq/transport/transport.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { Redirect } from '../../moq/wire/messages.ts'
import type { Namespace } from '../../moq/wire/names.ts'
import type { Peer, PeerHost } from './peer.ts'

/** Which relay serves a namespace. */
export type Place =
  | { readonly kind: 'here' }
  /** @param uri for the client that asked; null while it is not known */
  | { readonly kind: 'elsewhere'; readonly uri: string | null }
  /** It is so short that what is below it is at several of them. */
  | { readonly kind: 'everywhere' }

export interface Placement {
  placeOf(namespace: Namespace, peer: Peer): Place
}

interface Refusable {
  reject(code: number, reason: string, retryAfterMs?: number | null, redirect?: Redirect): void
}

/** Of a URI that is not known yet, ms. */
const RETRY_MS = 500
const ELSEWHERE = 'another process serves this room'

/** Lets through to the relay what is asked of rooms that are here. */
export class PlacedHost implements PeerHost {
  private readonly relay: PeerHost
  private readonly placement: Placement

  constructor(relay: PeerHost, placement: Placement) {
    this.relay = relay
    this.placement = placement
  }

  onSubscribe(peer: Peer, request: IncomingSubscribe): void {
    if (this.isHere(peer, request.track.namespace, request)) this.relay.onSubscribe(peer, request)
  }

  onPublish(peer: Peer, request: IncomingPublish): void {
    const uri = this.uriOf(peer, request.track.namespace, request)
    if (uri === null) return
    if (uri === '') this.relay.onPublish(peer, request)
    else leave(request, uri)
  }

  onFetch(peer: Peer, request: IncomingFetch): void {
    const { range } = request
    // A joining fetch goes on a subscription that is here.
    const isHere = range.kind !== 'standalone' || this.isHere(peer, range.track.namespace, request)
    if (isHere) this.relay.onFetch(peer, request)
  }

  onTrackStatus(peer: Peer, request: IncomingTrackStatus): void {
    if (this.isHere(peer, request.track.namespace, request)) {
      this.relay.onTrackStatus(peer, request)
    }
  }

  onPublishNamespace(peer: Peer, request: IncomingNamespacePublication): void {
    if (this.isHere(peer, request.namespace, request)) this.relay.onPublishNamespace(peer, request)
  }

  onSubscribeNamespace(peer: Peer, request: IncomingNamespaceSubscription): void {
    if (this.isHere(peer, request.prefix, request)) this.relay.onSubscribeNamespace(peer, request)
  }

  onSubscribeTracks(peer: Peer, request: IncomingTracksSubscription): void {
    const uri = this.uriOf(peer, request.prefix, request)
    if (uri === null) return
    if (uri === '') this.relay.onSubscribeTracks(peer, request)
    else leave(request, uri)
  }

  onNarrowed(peer: Peer): void {
    this.relay.onNarrowed(peer)
  }

  onBusy(peer: Peer): void {
    this.relay.onBusy(peer)
  }

  onPoliced(peer: Peer, dropped: number): void {
    this.relay.onPoliced(peer, dropped)
  }

  onClosed(peer: Peer, info: CloseInfo): void {
    this.relay.onClosed(peer, info)
  }

  /** Else the request has its answer: a redirect, or why there is none. */
  private isHere(peer: Peer, namespace: Namespace, request: Refusable): boolean {
    const uri = this.uriOf(peer, namespace, request)
    if (uri === null) return false
    if (uri === '') return true
    const redirect: Redirect = {
      connectUri: uri,
      // The same names as in the request.
      track: { namespace: [], name: new Uint8Array() },
    }
    request.reject(RequestCode.REDIRECT, ELSEWHERE, null, redirect)
    return false
  }

  /** Where it is; empty: here. Null: nowhere that could be told, and the request is refused. */
  private uriOf(peer: Peer, namespace: Namespace, request: Refusable): string | null {
    const place = this.placement.placeOf(namespace, peer)
    switch (place.kind) {
      case 'here':
        return ''
      case 'elsewhere':
        if (place.uri === null) {
          request.reject(RequestCode.EXCESSIVE_LOAD, 'the relay is about to start', RETRY_MS)
        }
        return place.uri
      case 'everywhere':
        request.reject(
          RequestCode.NOT_SUPPORTED,
          'rooms are spread over several processes: ask for the namespace of one',
        )
        return null
    }
  }
}

/** Sections 10.4 and 10.6: REDIRECT answers neither PUBLISH nor SUBSCRIBE_TRACKS. */
function leave(request: IncomingPublish | IncomingTracksSubscription, uri: string): void {
  request.goaway(uri, 0)
  request.reject(RequestCode.GOING_AWAY, ELSEWHERE)
}
