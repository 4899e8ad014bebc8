import { parseParticipantNamespace, roomNamespace } from '../../moq/media/names.ts'
import type { Relay } from './relay.ts'

/** Most of each list that is shown. */
const MOST_TRACKS = 500
const MOST_SUBSCRIBERS = 200
const MOST_SUBSCRIPTIONS = 100

/** One room, as the relay serves it now. */
export type RoomView = NonNullable<ReturnType<typeof viewRoom>>

/** Ids of those who publish in each room; an id says nothing of the person. */
export function participantsByRoom(relay: Relay): Map<string, string[]> {
  const rooms = new Map<string, string[]>()
  for (const namespace of relay.publishedNamespaces()) {
    const place = parseParticipantNamespace(namespace)
    if (!place) continue
    const ids = rooms.get(place.room)
    if (ids) ids.push(place.participant)
    else rooms.set(place.room, [place.participant])
  }
  return rooms
}

/**
 * For each subscriber of a room its queues, its budget, what was chosen for it, its gates and what was
 * not sent to it of late, and why. Lists are cut to their first entries; `leftOut` says how many are not
 * shown.
 * @param now ms of the relay's clock
 * @returns null where nobody is in the room
 */
export function viewRoom(relay: Relay, room: string, now: number) {
  const participants = participantsByRoom(relay).get(room)
  if (!participants) return null
  const namespace = roomNamespace(room)
  const tracks = relay.dumpTracks(namespace)
  const subscribers = relay.dumpSubscribers(namespace)
  return {
    room,
    /** ms of the relay's clock, which the times of drops are of. */
    now,
    participants,
    speakers: relay.speakers.of(room),
    publishers: relay.meters.dump(room),
    tracks: tracks.slice(0, MOST_TRACKS),
    subscribers: subscribers.slice(0, MOST_SUBSCRIBERS).map((subscriber) => ({
      ...subscriber,
      subscriptions: subscriber.subscriptions.slice(0, MOST_SUBSCRIPTIONS),
      leftOut: Math.max(0, subscriber.subscriptions.length - MOST_SUBSCRIPTIONS),
    })),
    leftOut: {
      tracks: Math.max(0, tracks.length - MOST_TRACKS),
      subscribers: Math.max(0, subscribers.length - MOST_SUBSCRIBERS),
    },
  }
}
