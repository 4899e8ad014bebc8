import { encodeMediaProperties, participantNamespace } from '../../moq/media/index.ts'
import { systemClock } from '../../moq/session/index.ts'
import { trackOf } from '../../moq/wire/names.ts'
import { MoqObject, ObjectStatus } from '../../moq/wire/object.ts'
import { encodeSubgroupBody } from '../../moq/wire/subgroup.ts'
import { FeedbackMeters } from '../../sfu/feedback/index.ts'
import { DEFAULT_POLICE, makePoliceCounters } from '../../sfu/forward/police/index.ts'
import { trafficOf } from '../../sfu/forward/traffic.ts'
import { PeerPolice } from '../../sfu/relay/peer-police.ts'
import { TrackArrivals } from '../../sfu/relay/track-arrivals.ts'
import { TrackVoice } from '../../sfu/relay/track-voice.ts'
import type { Upstream } from '../../sfu/relay/upstream.ts'
import { Speakers } from '../../sfu/speaker/index.ts'
import type { Case, Subject } from './subject.ts'

const PAYLOAD_BYTES = 120
const BATCH = 1000
const ann = participantNamespace('room', 'ann')

/** What is learned of a publisher on the way of an object, once for all subscribers. */
export const publisher: Subject = {
  name: 'publisher',
  about: 'one object: its publisher policed, metered and heard; nothing should be allocated',
  cases: () => [policed(), metered(), heard()],
}

function policed(): Case {
  const counters = makePoliceCounters()
  const peer = new PeerPolice(systemClock, { settings: DEFAULT_POLICE, counters }, () => {})
  const police = peer.upstream(trafficOf(trackOf(ann, 'video/0')))
  // A millisecond each, so that all of them pass.
  return each('policed', (object, at) => police.passes(object, at))
}

function metered(): Case {
  const arrivals = TrackArrivals.of(trackOf(ann, 'video/0'), new FeedbackMeters())!
  arrivals.begin(0)
  return each('metered', (object, at) => arrivals.received(object, at))
}

function heard(): Case {
  // Ticks would be another's cost.
  const speakers = new Speakers({ now: () => 0, after: () => () => {} })
  const voice = TrackVoice.of(trackOf(ann, 'audio'), speakers, () => {})!
  const upstream = {} as Upstream
  return each('heard', (object, at) => voice.heard(upstream, object, at))
}

function each(name: string, step: (object: MoqObject, at: number) => void): Case {
  const object = objectOf()
  let at = 0
  return {
    name,
    operations: BATCH,
    payloadBytes: PAYLOAD_BYTES,
    run() {
      for (let i = 0; i < BATCH; i++) step(object, at++)
      return at
    },
  }
}

function objectOf(): MoqObject {
  const { properties } = encodeMediaProperties({
    timestamp: 1_700_000_000_000_000,
    audioLevel: { level: 30, voice: true },
    frameMarking: {
      start: true,
      end: true,
      independent: true,
      discardable: false,
      layer: { temporal: 0, spatial: 0, baseIndex: 1, baseSync: false },
    },
  })
  const body = encodeSubgroupBody(properties, new Uint8Array(PAYLOAD_BYTES))
  const payloadAt = body.length - PAYLOAD_BYTES
  // One byte says how long the properties are, two the payload's length.
  const { length } = properties
  return new MoqObject(0, 0, 0, null, ObjectStatus.NORMAL, false, body, 1, length, payloadAt)
}
