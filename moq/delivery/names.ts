/**
 * Where the delivery service is found: namespace (`sotto`, room, `.mls`), tracks `log` and
 * `group-info`. What a participant submits is on track `mls` of its own namespace.
 */

import { checkId, NAMESPACE_ROOT, participantNamespace, TrackName } from '../media/names.ts'
import { type FullTrackName, type Namespace, namespaceOf, textOf, trackOf } from '../wire/names.ts'

export const DELIVERY_FIELD = '.mls'
export const LOG_TRACK = 'log'
export const GROUP_INFO_TRACK = 'group-info'

/** @throws MediaFormatError for a room id that may not be one */
export function deliveryNamespace(room: string): Namespace {
  return namespaceOf(NAMESPACE_ROOT, checkId('room', room), DELIVERY_FIELD)
}

export function logTrack(room: string): FullTrackName {
  return trackOf(deliveryNamespace(room), LOG_TRACK)
}

export function groupInfoTrack(room: string): FullTrackName {
  return trackOf(deliveryNamespace(room), GROUP_INFO_TRACK)
}

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
