/** How a relay is before anything has happened, for tests by vitest. */

import { gateDropCounters, makeGateTally } from '../forward/gate/index.ts'
import { makeEpochTally } from '../forward/keys/index.ts'
import { keyTroubleCounters } from '../forward/keys/troubles.ts'
import { makePoliceCounters } from '../forward/police/index.ts'
import { TRAFFIC } from '../forward/traffic.ts'
import { makePathTally } from '../relay/path-tally.ts'
import type { Levels } from './levels.ts'

export function makeLevels(levels: Partial<Levels> = {}): Levels {
  return {
    sessions: { webtransport: 0, websocket: 0, quic: 0, memory: 0 },
    rooms: 0,
    participants: 0,
    tracks: 0,
    subscriptions: 0,
    namespaces: 0,
    requests: 0,
    fetches: 0,
    cacheBytes: 0,
    cacheObjects: 0,
    duplicates: 0,
    malformedTracks: 0,
    malformedReports: 0,
    gateDrops: gateDropCounters(),
    gates: makeGateTally(),
    policed: makePoliceCounters(),
    keyTroubles: keyTroubleCounters(),
    epochs: makeEpochTally(),
    oldestMs: TRAFFIC.map(() => 0),
    paths: makePathTally(),
    bufferedBytes: 0,
    transportBytes: 0,
    udp: null,
    tcp: null,
    udpDrops: null,
    most: { sessions: 1000, cacheBytes: 1_000_000 },
    certificateExpires: 0,
    tokenCacheBytes: 0,
    revocations: 0,
    ready: true,
    draining: false,
    ...levels,
  }
}
