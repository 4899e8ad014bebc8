import { roomNamespace } from '../../moq/media/names.ts'
import type { TransportKind } from '../../moq/transport/transport.ts'
import type { GateDropCounters, GateTally } from '../forward/gate/index.ts'
import type { EpochTally, KeyTroubleCounters } from '../forward/keys/index.ts'
import type { PoliceCounters } from '../forward/police/index.ts'
import type { PathTally } from './path-tally.ts'
import type { Relay } from './relay.ts'
import { participantsByRoom } from './room-view.ts'

/** How the relay is now; for metrics and for a look inside. */
export interface RelayLevels {
  readonly sessions: Record<TransportKind, number>
  readonly rooms: number
  readonly participants: number
  readonly tracks: number
  readonly subscriptions: number
  readonly namespaces: number
  /** Requests to and from all peers that are open or have begun. */
  readonly requests: number
  /** FETCHes that are being answered. */
  readonly fetches: number
  /** Bytes of objects kept for late joiners, and objects that are kept or remembered. */
  readonly cacheBytes: number
  readonly cacheObjects: number
  /** Since the start: objects that came twice, and tracks found malformed. */
  readonly duplicates: number
  readonly malformedTracks: number
  /** Since the start: objects of `report` tracks that are no reports. */
  readonly malformedReports: number
  /** Since the start: objects that gates held back, by reason and subscriber. */
  readonly gateDrops: Readonly<GateDropCounters>
  /** Since the start: objects of publishers that send more than they may, by reason. */
  readonly policed: Readonly<PoliceCounters>
  /** Since the start: objects refused for their SFrame header, by reason. */
  readonly keyTroubles: Readonly<KeyTroubleCounters>
  /** Since the start: what the gates of all subscribers did. */
  readonly gates: Readonly<GateTally>
  /** Since the start: changes of epoch in all rooms. */
  readonly epochs: Readonly<EpochTally>
  /** How long what has waited longest for any subscriber has waited, ms; by traffic class. */
  readonly oldestMs: readonly number[]
  /** Since the start, on the paths to all subscribers. */
  readonly paths: Readonly<PathTally>
  /** Bytes that wait for all sessions together. */
  readonly bufferedBytes: number
}

export function relayLevels(relay: Relay): RelayLevels {
  const rooms = participantsByRoom(relay)
  let participants = 0
  for (const ids of rooms.values()) participants += ids.length
  return {
    sessions: relay.sessionsByTransport(),
    rooms: rooms.size,
    participants,
    tracks: relay.trackCount,
    subscriptions: relay.subscriptionCount,
    namespaces: relay.publishedNamespaces().length,
    requests: relay.requestCount,
    fetches: relay.fetchCount,
    cacheBytes: relay.cacheBytes,
    cacheObjects: relay.cacheObjects,
    duplicates: relay.tally.duplicates,
    malformedTracks: relay.tally.malformedTracks,
    malformedReports: relay.tally.malformedReports,
    gateDrops: relay.tally.gateDrops,
    policed: relay.tally.policed,
    keyTroubles: relay.keys.troubles,
    gates: relay.tally.gates,
    epochs: relay.keys.epochs,
    oldestMs: relay.oldestMs(),
    paths: relay.tally.paths,
    bufferedBytes: relay.waitingBytes,
  }
}

/**
 * What happens in a room.
 * @param participants by id, which says nothing of the person
 */
export function dumpRoom(relay: Relay, room: string, participants: readonly string[]) {
  return {
    room,
    participants,
    speakers: relay.speakers.of(room),
    publishers: relay.meters.dump(room),
    tracks: relay.dumpTracks(roomNamespace(room)),
  }
}
