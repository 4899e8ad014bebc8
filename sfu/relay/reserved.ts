/**
 * What in a room is not for every client: namespaces that services publish, and tracks that are for one
 * participant alone. It holds whatever a token allows, and where none is needed.
 */

import {
  NAMESPACE_ROOT,
  parseFeedbackTrackName,
  parseRelayNamespace,
  participantNamespace,
} from '../../moq/media/index.ts'
import { type FullTrackName, type Namespace, textOf } from '../../moq/wire/names.ts'

const DOT = 0x2e

/**
 * Whether only a service of our own may publish the namespace: below the root of calls, fields that begin
 * with '.' are names of services.
 * @param foreign names of services that other processes run, which come as clients do
 */
export function isReserved(namespace: Namespace, foreign: readonly string[]): boolean {
  if (namespace.length < 2 || textOf(namespace[0]!) !== NAMESPACE_ROOT) return false
  return namespace.some((field, at) => {
    if (at === 0 || field[0] !== DOT) return false
    return at !== 2 || !foreign.includes(textOf(field) ?? '')
  })
}

/** The namespace of the only participant that may read the track; null for a track of another kind. */
export function readerOf({ namespace, name }: FullTrackName): Namespace | null {
  const room = parseRelayNamespace(namespace)
  const participant = room === null ? null : parseFeedbackTrackName(textOf(name) ?? '')
  return room === null || participant === null ? null : participantNamespace(room, participant)
}
