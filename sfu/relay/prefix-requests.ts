/**
 * SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS at the relay (draft-18 sections 6.1, 10.18 and 10.19): who
 * may have which prefix, and how it changes.
 */

import type {
  Clock,
  IncomingNamespaceSubscription,
  IncomingTracksSubscription,
  RequestRefusal,
} from '../../moq/session/index.ts'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { hasPrefix, type Namespace } from '../../moq/wire/names.ts'
import type { NamespaceRegistry } from './namespaces.ts'
import type { Peer } from './peer.ts'
import { type PeerShares, refuseForLoad } from './peer-shares.ts'
import { Telling } from './telling.ts'
import type { TrackRegistry } from './track-registry.ts'
import type { TrackWatchers } from './track-watchers.ts'

export interface PrefixRequestsOptions {
  readonly clock: Clock
  readonly shares: PeerShares
  readonly namespaces: NamespaceRegistry<Peer>
  readonly tracks: TrackRegistry
  readonly watchers: TrackWatchers
}

type PrefixRequest = IncomingNamespaceSubscription | IncomingTracksSubscription

/** What happens to a request of one of the two kinds. */
interface Kind<Request> {
  /** What the session has too many of, when it does. */
  readonly name: string
  /** Those of the session. */
  readonly requests: Set<Request>
  add(request: Request): void
  remove(request: Request): void
  move(request: Request, prefix: Namespace): void
  /** Tells one of what there is under the prefix; see `TellingOptions`. */
  tellNext(request: Request, after: string | null): string | null
}

export class PrefixRequests {
  private readonly options: PrefixRequestsOptions

  constructor(options: PrefixRequestsOptions) {
    this.options = options
  }

  subscribeNamespace(peer: Peer, request: IncomingNamespaceSubscription): void {
    const { namespaces } = this.options
    this.begin(peer, request, {
      name: 'namespace subscriptions',
      requests: peer.watches,
      add: (accepted) => namespaces.watch(accepted),
      remove: (ended) => namespaces.unwatch(ended),
      move: (moved, prefix) => namespaces.move(moved, prefix),
      tellNext: (told, after) => namespaces.tellNext(told, after),
    })
  }

  subscribeTracks(peer: Peer, request: IncomingTracksSubscription): void {
    const { watchers, tracks } = this.options
    this.begin(peer, request, {
      name: 'subscriptions to tracks',
      requests: peer.trackWatches,
      add: (accepted) => watchers.add(peer, accepted),
      remove: (ended) => watchers.remove(ended),
      move: (moved, prefix) => watchers.move(moved, prefix),
      tellNext: (told, after) => {
        const found = tracks.next(told.prefix, after)
        if (found) watchers.announceTo(told, found.value)
        return found?.name ?? null
      },
    })
  }

  /** Ends those that the peer may not have any more. */
  narrow(peer: Peer): void {
    for (const request of [...peer.watches, ...peer.trackWatches]) {
      if (peer.maySubscribeNamespace(request.prefix)) continue
      end(request, ResetCode.EXPIRED_AUTH_TOKEN)
    }
  }

  private begin<Request extends PrefixRequest>(
    peer: Peer,
    request: Request,
    kind: Kind<Request>,
  ): void {
    const { requests } = kind
    const { clock, shares } = this.options
    if (!shares.mayTakeWatch(peer, requests.size)) {
      refuseForLoad(request, kind.name)
      return
    }
    const refusal = overlap(requests, request.prefix, null)
    if (refusal) {
      request.reject(refusal.code, refusal.reason)
      return
    }
    requests.add(request)
    let telling: Telling | null = null
    const tell = () => {
      telling?.stop()
      telling = new Telling({
        clock,
        request,
        next: (after) => kind.tellNext(request, after),
        onStalled: () => {
          shares.watchStalled()
          end(request, ResetCode.EXCESSIVE_LOAD)
        },
      })
    }
    request.onCancelled = () => {
      telling?.stop()
      requests.delete(request)
      kind.remove(request)
    }
    request.onPrefix = (prefix) => {
      const refused = refuseRight(peer, prefix) ?? overlap(requests, prefix, request)
      if (!refused) kind.move(request, prefix)
      return refused
    }
    request.onPrefixChanged = tell
    request.accept()
    kind.add(request)
    tell()
  }
}

/** Ends it from our side, as if the peer had cancelled it. */
function end(request: PrefixRequest, code: number): void {
  request.cancel(code)
  request.onCancelled?.()
}

function refuseRight(peer: Peer, prefix: Namespace): RequestRefusal | null {
  if (peer.maySubscribeNamespace(prefix)) return null
  const reason = 'not allowed to subscribe to this namespace'
  return { code: RequestCode.UNAUTHORIZED, reason, retryAfterMs: null }
}

/** Prefixes of one session's requests of a kind may not overlap. */
function overlap(
  requests: ReadonlySet<PrefixRequest>,
  prefix: Namespace,
  except: PrefixRequest | null,
): RequestRefusal | null {
  for (const other of requests) {
    if (other === except) continue
    if (!hasPrefix(other.prefix, prefix) && !hasPrefix(prefix, other.prefix)) continue
    const reason = 'overlaps another subscription of this kind'
    return { code: RequestCode.PREFIX_OVERLAP, reason, retryAfterMs: null }
  }
  return null
}
