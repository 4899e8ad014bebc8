/**
 * Where the delivery service is found: namespace (`sotto`, room, `.mls`), tracks `log` and
 * `group-info`. What a participant submits is on track `mls` of its own namespace.
 */

import { checkId, NAMESPACE_ROOT, participantNamespace, TrackName } from '../media/names.ts'
import { type FullTrackName, type Namespace, namespaceOf, textOf, trackOf } from '../wire/names.ts'

/** Last field of the namespace of a room's delivery service. */
export const DELIVERY_FIELD = '.mls'

/** Track of the accepted handshake messages, one group each. */
export const LOG_TRACK = 'log'

/** Track of the newest state that a newcomer can join from. */
export const GROUP_INFO_TRACK = 'group-info'

/** @throws MediaFormatError for a room id that may not be one */
export function deliveryNamespace(room: string): Namespace {
  return namespaceOf(NAMESPACE_ROOT, checkId('room', room), DELIVERY_FIELD)
}

/** The `log` track of a room. @throws MediaFormatError for a room id that may not be one */
export function logTrack(room: string): FullTrackName {
  return trackOf(deliveryNamespace(room), LOG_TRACK)
}

/** The `group-info` track of a room. @throws MediaFormatError for a room id that may not be one */
export function groupInfoTrack(room: string): FullTrackName {
  return trackOf(deliveryNamespace(room), GROUP_INFO_TRACK)
}

/**
 * The track on which a participant hands in what the delivery service shall order.
 * @throws MediaFormatError for ids that may not be any
 */
export function submissionTrack(room: string, participant: string): FullTrackName {
  return trackOf(participantNamespace(room, participant), TrackName.MLS)
}

/** The room whose delivery service this namespace is, or null. */
export function parseDeliveryNamespace(namespace: Namespace): string | null {
  if (namespace.length !== 3) return null
  const [root, room, field] = namespace.map(textOf)
  if (root !== NAMESPACE_ROOT || field !== DELIVERY_FIELD) return null
  try {
    return room ? checkId('room', room) : null
  } catch {
    return null
  }
}
