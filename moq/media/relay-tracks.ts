/**
 * What the relay itself publishes for a room: namespace (`sotto`, room, `.relay`), track `speakers`, and
 * for each participant `feedback/<participant>`.
 */

import { type FullTrackName, type Namespace, namespaceOf, textOf, trackOf } from '../wire/names.ts'
import { checkId, NAMESPACE_ROOT } from './names.ts'

/** Last field of the namespace of what the relay itself publishes for a room. */
export const RELAY_FIELD = '.relay'

/** Track on which the relay tells a room who speaks. */
export const SPEAKERS_TRACK = 'speakers'
const FEEDBACK_PREFIX = 'feedback/'

/** @throws MediaFormatError for a room id that may not be one */
export function relayNamespace(room: string): Namespace {
  return namespaceOf(NAMESPACE_ROOT, checkId('room', room), RELAY_FIELD)
}

/** @throws MediaFormatError for ids that may not be any */
export function feedbackTrack(room: string, participant: string): FullTrackName {
  return trackOf(relayNamespace(room), feedbackTrackName(participant))
}

/** @throws MediaFormatError for a room id that may not be one */
export function speakersTrack(room: string): FullTrackName {
  return trackOf(relayNamespace(room), SPEAKERS_TRACK)
}

/** @throws MediaFormatError for a participant id that may not be one */
export function feedbackTrackName(participant: string): string {
  return `${FEEDBACK_PREFIX}${checkId('participant', participant)}`
}

/** The room for which a relay publishes under this namespace, or null. */
export function parseRelayNamespace(namespace: Namespace): string | null {
  if (namespace.length !== 3) return null
  const [root, room, field] = namespace.map(textOf)
  if (root !== NAMESPACE_ROOT || field !== RELAY_FIELD || !room) return null
  return isId('room', room) ? room : null
}

/** The participant whose feedback a track of this name is, or null. */
export function parseFeedbackTrackName(name: string): string | null {
  if (!name.startsWith(FEEDBACK_PREFIX)) return null
  const participant = name.slice(FEEDBACK_PREFIX.length)
  return isId('participant', participant) ? participant : null
}

function isId(what: 'room' | 'participant', id: string): boolean {
  try {
    checkId(what, id)
    return true
  } catch {
    return false
  }
}
