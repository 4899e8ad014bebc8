/**
 * What a participant may publish and subscribe to: namespace prefixes, compared field by field and
 * byte for byte. Pure; where the prefixes come from is the token's matter.
 */

import { participantNamespace, roomNamespace } from '../../moq/media/names.ts'
import { type FullTrackName, hasPrefix, type Namespace, namespaceOf } from '../../moq/wire/names.ts'

export interface Permissions {
  /** Everything at or below one of these may be published. */
  readonly publish: readonly Namespace[]
  /** Everything at or below one of these may be subscribed to. */
  readonly subscribe: readonly Namespace[]
}

/** Namespace prefixes as a token states them; `[]` as a prefix means every namespace. */
export interface PermissionLists {
  readonly publish?: readonly (readonly string[])[]
  readonly subscribe?: readonly (readonly string[])[]
}

export const NO_PERMISSIONS: Permissions = { publish: [], subscribe: [] }

/**
 * A participant publishes under (`sotto`, room, participant) and subscribes within (`sotto`, room),
 * the delivery service's `.mls` included. The lists add to that and take nothing away.
 * @throws MediaFormatError for an id that may not name a room or a participant
 */
export function permissionsOf(
  room: string,
  participant: string,
  lists: PermissionLists = {},
): Permissions {
  const prefixes = (added: readonly (readonly string[])[] = []) =>
    added.map((fields) => namespaceOf(...fields))
  return {
    publish: [participantNamespace(room, participant), ...prefixes(lists.publish)],
    subscribe: [roomNamespace(room), ...prefixes(lists.subscribe)],
  }
}

/** What any of them allows. */
export function unionOf(all: Iterable<Permissions>): Permissions {
  const publish: Namespace[] = []
  const subscribe: Namespace[] = []
  for (const one of all) {
    publish.push(...one.publish)
    subscribe.push(...one.subscribe)
  }
  return { publish, subscribe }
}

/** PUBLISH_NAMESPACE. */
export function mayPublishNamespace(permissions: Permissions, namespace: Namespace): boolean {
  return permissions.publish.some((prefix) => hasPrefix(namespace, prefix))
}

/** PUBLISH. */
export function mayPublishTrack(permissions: Permissions, track: FullTrackName): boolean {
  return mayPublishNamespace(permissions, track.namespace)
}

/** SUBSCRIBE, FETCH and TRACK_STATUS. */
export function maySubscribe(permissions: Permissions, track: FullTrackName): boolean {
  return maySubscribeNamespace(permissions, track.namespace)
}

/** SUBSCRIBE_NAMESPACE and SUBSCRIBE_TRACKS: the asked prefix must lie within an allowed one. */
export function maySubscribeNamespace(permissions: Permissions, prefix: Namespace): boolean {
  return permissions.subscribe.some((allowed) => hasPrefix(prefix, allowed))
}
