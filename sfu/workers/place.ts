/**
 * Which of several processes serves a room: rendezvous hashing, so that with one process more or less only
 * the rooms of that one move. A room is all of its namespace `(sotto, room, …)`; other namespaces go by
 * their first field. That way whatever has a prefix in common, from there on, is in one place.
 */

import { createHash } from 'node:crypto'
import { NAMESPACE_ROOT } from '../../moq/media/index.ts'
import { type Namespace, textOf } from '../../moq/wire/names.ts'

/** SHA-256 of a room's name, hex. */
export function digestOf(room: string | Uint8Array): string {
  return createHash('sha256').update(room).digest('hex')
}

/**
 * @param digest see `digestOf`
 * @param count of processes
 * @returns 0 … count - 1
 */
export function placeOfDigest(digest: string, count: number): number {
  let place = 0
  let most = ''
  for (let at = 0; count > 1 && at < count; at++) {
    const weight = digestOf(`${digest} ${at}`)
    if (weight <= most) continue
    most = weight
    place = at
  }
  return place
}

/** The place of a room by its name. */
export function placeOfRoom(room: string, count: number): number {
  return placeOfDigest(digestOf(room), count)
}

/** Null: what is below the namespace is in more than one place. */
export function placeOfNamespace(namespace: Namespace, count: number): number | null {
  const [root, room] = namespace
  if (root === undefined) return null
  if (textOf(root) !== NAMESPACE_ROOT) return placeOfDigest(digestOf(root), count)
  return room === undefined ? null : placeOfDigest(digestOf(room), count)
}
