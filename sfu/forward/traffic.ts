import { parseTrackName } from '../../moq/media/names.ts'
import { type FullTrackName, textOf } from '../../moq/wire/names.ts'

/**
 * What kind of traffic an object is, most urgent first (design: control, audio, base video of the
 * active speaker, base video, screen, enhancement). Control messages do not wait in the scheduler at
 * all; `signalling` is what the call cannot go on without: handshakes, and what services of ours publish.
 * `data` is the small state that participants publish themselves, such as catalogs and chat: behind sound,
 * so that nobody can take it from the others with a flood of either.
 */
export const TRAFFIC = [
  'signalling',
  'audio',
  'data',
  'speaker',
  'base',
  'screen',
  'other',
  'enhancement',
] as const

export type Traffic = (typeof TRAFFIC)[number]

/** Class numbers are indices of `TRAFFIC`. */
export type TrafficClass = number

/** What is below audio is held back when the path is full. */
export const FIRST_PACED: TrafficClass = TRAFFIC.indexOf('audio') + 1

export interface TrackTraffic {
  readonly stream: TrafficClass
  readonly datagram: TrafficClass
}

const classOf = (traffic: Traffic): TrafficClass => TRAFFIC.indexOf(traffic)

/**
 * Classes of a track from its name's shape. In a call's video and screen tracks the datagrams are the
 * enhancement layers; of a track that is no call's, nothing is known but its priorities.
 */
export function trafficOf(track: FullTrackName): TrackTraffic {
  const first = track.namespace[0]
  if (!first || textOf(first) !== 'sotto') return both('other')
  // The delivery service's own tracks carry the handshakes.
  const last = track.namespace[track.namespace.length - 1]!
  if (last[0] === 0x2e) return both('signalling')
  switch (parseTrackName(textOf(track.name) ?? '')?.kind) {
    case 'audio':
    case 'screen-audio':
      return both('audio')
    case 'video':
      return { stream: classOf('base'), datagram: classOf('enhancement') }
    case 'screen':
      return { stream: classOf('screen'), datagram: classOf('enhancement') }
    case 'mls':
      return both('signalling')
    case 'catalog':
    case 'chat':
    case 'verify':
      return both('data')
    default:
      return both('other')
  }
}

/**
 * The class of a picture's streams.
 * @param speaks the participant is the room's active speaker
 */
export function baseClassOf({ stream }: TrackTraffic, speaks: boolean): TrafficClass {
  return speaks && stream === classOf('base') ? classOf('speaker') : stream
}

function both(traffic: Traffic): TrackTraffic {
  return { stream: classOf(traffic), datagram: classOf(traffic) }
}

/** Send orders below this belong to control and requests. */
const FIRST_MEDIA_ORDER = 16
const ORDERS_PER_CLASS = Math.floor((256 - FIRST_MEDIA_ORDER) / TRAFFIC.length)

/**
 * The send order of a stream (`TransportSession.openUni`), 16..255: the class decides, then,
 * coarsely, the subscriber priority.
 */
export function sendOrderOf(traffic: TrafficClass, subscriberPriority: number): number {
  const within = (subscriberPriority * ORDERS_PER_CLASS) >> 8
  return FIRST_MEDIA_ORDER + traffic * ORDERS_PER_CLASS + within
}

/**
 * How old an object of each class may be when it is sent, ms; older ones are dropped. Infinite where
 * the draft wants everything delivered (section 8) and losing one would stop the call.
 */
export type LatencyBudgets = Readonly<Record<Traffic, number>>

export const DEFAULT_BUDGETS: LatencyBudgets = {
  signalling: Number.POSITIVE_INFINITY,
  audio: 600,
  data: Number.POSITIVE_INFINITY,
  speaker: 1000,
  base: 1000,
  screen: 2000,
  other: Number.POSITIVE_INFINITY,
  enhancement: 150,
}
