/** Puts participants into rooms, for scenarios to make their plans of. */

import { UsageError } from '../scenario.ts'
import { tracksOf } from './media/profile.ts'
import type { LoadOptions } from './options.ts'
import { MAX_LINKS } from './options.ts'
import { DEFAULT_LATE_MS, type LinkPlan, type LoadPlan, type ParticipantPlan } from './plan.ts'

const PUBLISHERS = 'publishers'
const SUBSCRIBERS = 'subscribers'

/** Time between two who join, so that handshakes do not stand in each other's way, ms. */
const JOIN_STEP_MS = 10
const MOST_JOINING_MS = 20_000
/** After the last has joined, before anything is measured, ms. */
const SETTLE_MS = 3000
/** SFrame leaves of a room. */
export const MAX_ROOM = 4096

/** A room's people but for where they are in time and behind which link. */
export type Person = Omit<ParticipantPlan, 'joinAtMs' | 'leaveAtMs' | 'link'>

/**
 * A room: its publishers, and subscribers who watch all of them.
 * @param everybody whether publishers watch each other too
 * @throws UsageError when it is too large
 */
export function roomOf(room: string, options: LoadOptions, everybody: boolean): Person[] {
  const { publishers, subscribers, profile, renditions, managed, followsFeedback } = options
  if (publishers + subscribers > MAX_ROOM) {
    throw new UsageError(`a room has ${MAX_ROOM} participants at most`)
  }
  const speakers = Array.from({ length: publishers }, (_, index) => ({
    participant: `p${index}`,
    tracks: tracksOf(profile, renditions, index === 0),
  }))
  const senders = speakers.map(({ participant, tracks }, leaf) => ({
    id: participant,
    leaf,
    room,
    label: PUBLISHERS,
    publishes: tracks,
    watches: everybody ? speakers.filter((other) => other.participant !== participant) : [],
    managed: everybody && managed,
    followsFeedback,
  }))
  const watchers = Array.from({ length: subscribers }, (_, index) => ({
    id: `s${index}`,
    leaf: publishers + index,
    room,
    label: SUBSCRIBERS,
    publishes: [],
    watches: speakers,
    managed,
    followsFeedback,
  }))
  return [...senders, ...watchers]
}

/** The people of all rooms. @throws UsageError when they are too large */
export function roomsOf(options: LoadOptions, everybody: boolean): Person[] {
  return Array.from({ length: options.rooms }, (_, room) =>
    roomOf(`bench-${room}`, options, everybody),
  ).flat()
}

/**
 * A plan in which all of them join one after the other, publishers first, and stay.
 * @throws UsageError for more shaped networks than there may be
 */
export function steadyPlan(
  name: string,
  people: readonly Person[],
  options: LoadOptions,
): LoadPlan {
  const step = Math.min(JOIN_STEP_MS, MOST_JOINING_MS / Math.max(1, people.length))
  const links: LinkPlan[] = []
  const participants = people.map((person, index): ParticipantPlan => {
    const impaired = options.impair !== null && person.watches.length > 0
    const link = impaired ? links.length : null
    if (impaired) links.push({ down: options.impair ?? {}, up: delayOf(options), changes: [] })
    return { ...person, link, joinAtMs: index * step, leaveAtMs: null }
  })
  if (links.length > MAX_LINKS) {
    throw new UsageError(`--impair is for ${MAX_LINKS} subscribers at most: each has a network`)
  }
  return {
    name,
    participants,
    links,
    warmupMs: people.length * step + SETTLE_MS,
    phases: [{ name: 'all', ms: options.durationMs }],
    epochChanges: [],
    mls: options.mls,
    compareBytes: false,
    lateMs: DEFAULT_LATE_MS,
  }
}

/** The way to the relay is as long as the way back, and as wide as need be. */
function delayOf({ impair }: LoadOptions): LinkPlan['up'] {
  return impair?.delayMs === undefined ? {} : { delayMs: impair.delayMs }
}
