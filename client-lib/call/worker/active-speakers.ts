import { decodeSpeakers, type Speaker, speakersTrack } from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { Participant } from '../types.ts'
import { type CallSession, OF_RELAY } from './call-session.ts'
import { followTrack } from './follow-track.ts'

export interface ActiveSpeakersOptions {
  readonly session: CallSession
  readonly room: string
  readonly clock: Clock
  readonly onChange: () => void
}

/** RMS of speech; a quiet room is well below. */
const SPEAKING_LEVEL = 0.01
const PRIORITY = 16

/**
 * Who speaks: as the relay tells on its track `speakers`, which it finds without hearing anything; and
 * where it tells nothing, by the levels of what is heard here.
 */
export class ActiveSpeakers {
  private readonly options: ActiveSpeakersOptions
  private told: readonly Speaker[] | null = null
  private group = -1
  private stop: (() => void) | null = null
  /** Without the relay: those who have spoken, the newest first. */
  private heard: string[] = []

  constructor(options: ActiveSpeakersOptions) {
    this.options = options
  }

  /** Whether the relay publishes anything for the room. */
  setRelayPresent(present: boolean): void {
    if (present === (this.stop !== null)) return
    this.close()
    if (!present) return
    const { session, room, clock } = this.options
    this.stop = followTrack(
      session,
      clock,
      speakersTrack(room),
      { newGroupRequest: 0, subscriberPriority: PRIORITY },
      (object) => this.onObject(object),
      OF_RELAY,
      () => {
        this.group = -1
      },
    )
  }

  /** Ids of those among the participants who speak or have spoken, the newest first. */
  among(participants: readonly Participant[]): { id: string; speaking: boolean }[] {
    const present = new Set(participants.map(({ id }) => id))
    const speakers = this.told
      ? this.told.map(({ participant: id, speaking }) => ({ id, speaking }))
      : this.byLevel(participants)
    return speakers.filter(({ id }) => present.has(id))
  }

  close(): void {
    this.stop?.()
    this.stop = null
    this.told = null
    this.group = -1
    this.heard = []
  }

  private onObject({ group, payload }: MoqObject): void {
    if (group <= this.group) return
    const before = this.told
    try {
      this.told = decodeSpeakers(payload)
    } catch {
      // Of a version that we do not know: as if it told nothing.
      return
    }
    this.group = group
    if (!before || !isSame(before, this.told)) this.options.onChange()
  }

  private byLevel(participants: readonly Participant[]): { id: string; speaking: boolean }[] {
    const loud = new Set(participants.filter(isLoud).map(({ id }) => id))
    const begun = [...loud].filter((id) => !this.heard.includes(id))
    const present = new Set(participants.map(({ id }) => id))
    this.heard = [...begun, ...this.heard.filter((id) => present.has(id))]
    return this.heard
      .map((id) => ({ id, speaking: loud.has(id) }))
      .toSorted((a, b) => Number(b.speaking) - Number(a.speaking))
  }
}

function isSame(a: readonly Speaker[], b: readonly Speaker[]): boolean {
  if (a.length !== b.length) return false
  return a.every((speaker, at) => {
    const other = b[at]!
    return speaker.participant === other.participant && speaker.speaking === other.speaking
  })
}

function isLoud({ tracks }: Participant): boolean {
  return tracks.some(
    ({ kind, muted, audioLevel }) =>
      kind === 'audio' && !muted && (audioLevel ?? 0) > SPEAKING_LEVEL,
  )
}
