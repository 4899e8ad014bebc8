/**
 * What the tracks of a call are called. A participant publishes under the namespace
 * (`sotto`, room, participant); the relay knows no more of a name than this shape.
 */

import { type Namespace, namespaceOf, textOf } from '../wire/names.ts'
import { MediaFormatError } from './errors.ts'

/** First field of every namespace of a call. */
export const NAMESPACE_ROOT = 'sotto'

/** Longest room or participant id, in bytes of UTF-8. */
export const MAX_ID_BYTES = 128

/** Most simulcast renditions of one camera. */
export const MAX_RENDITIONS = 16

/** Tracks of which a participant has one; camera renditions are named by `videoTrackName`. */
export const TrackName = {
  CATALOG: 'catalog',
  AUDIO: 'audio',
  SCREEN: 'screen',
  SCREEN_AUDIO: 'screen-audio',
  CHAT: 'chat',
  VERIFY: 'verify',
  MLS: 'mls',
} as const

/** What a track of a participant's carries. */
export type TrackKind =
  | 'catalog'
  | 'audio'
  | 'video'
  | 'screen'
  | 'screen-audio'
  | 'chat'
  | 'verify'
  | 'mls'

/** What a track name of a call says. */
export interface CallTrack {
  readonly kind: TrackKind
  /** 0 is the smallest; null for every kind but `video`. */
  readonly rendition: number | null
}

const singleTracks: ReadonlySet<string> = new Set(Object.values(TrackName))
const videoTrackPattern = /^video\/(0|[1-9][0-9]?)$/
const utf8 = new TextEncoder()

/** @throws MediaFormatError unless 0 <= rendition < 16 */
export function videoTrackName(rendition: number): string {
  if (!Number.isInteger(rendition) || rendition < 0 || rendition >= MAX_RENDITIONS) {
    throw new MediaFormatError(
      `rendition ${rendition} is not an integer from 0 to ${MAX_RENDITIONS - 1}`,
    )
  }
  return `video/${rendition}`
}

/** Null for a name that is no track of a call. */
export function parseTrackName(name: string): CallTrack | null {
  if (singleTracks.has(name)) return { kind: name as TrackKind, rendition: null }
  const rendition = videoTrackPattern.exec(name)?.[1]
  if (rendition === undefined || Number(rendition) >= MAX_RENDITIONS) return null
  return { kind: 'video', rendition: Number(rendition) }
}

/** @throws MediaFormatError for an id that `checkId` refuses */
export function roomNamespace(room: string): Namespace {
  return namespaceOf(NAMESPACE_ROOT, checkId('room', room))
}

/** @throws MediaFormatError for an id that `checkId` refuses */
export function participantNamespace(room: string, participant: string): Namespace {
  return namespaceOf(NAMESPACE_ROOT, checkId('room', room), checkId('participant', participant))
}

/** Null for a namespace that is not a participant's; one of the service's own (`.mls`) is not. */
export function parseParticipantNamespace(
  namespace: Namespace,
): { room: string; participant: string } | null {
  if (namespace.length !== 3 || textOf(namespace[0]!) !== NAMESPACE_ROOT) return null
  const room = textOf(namespace[1]!)
  const participant = textOf(namespace[2]!)
  if (room === null || participant === null) return null
  if (idFault(room) !== null || idFault(participant) !== null) return null
  return { room, participant }
}

/**
 * Returns the id when it may name a room or a participant.
 * @throws MediaFormatError that says what is wrong with it
 */
export function checkId(what: 'room' | 'participant', id: string): string {
  const fault = idFault(id)
  if (fault !== null) throw new MediaFormatError(`${what} id ${fault}`)
  return id
}

function idFault(id: string): string | null {
  if (id.length === 0) return 'is empty'
  if (id.startsWith('.')) return "starts with '.', which is reserved for the service"
  if (!id.isWellFormed()) return 'is not well-formed Unicode'
  // A UTF-16 code unit is at least one byte of UTF-8: a huge id is refused without encoding it.
  const bytes = id.length > MAX_ID_BYTES ? id.length : utf8.encode(id).length
  if (bytes > MAX_ID_BYTES) return `is longer than ${MAX_ID_BYTES} bytes of UTF-8`
  return null
}
