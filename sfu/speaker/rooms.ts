import type { Speaker } from '../../moq/media/index.ts'
import type { Clock } from '../../moq/session/index.ts'
import { RoomSpeakers } from './room.ts'
import type { SpeakerSettings } from './settings.ts'
import type { Voice } from './voice.ts'

/** Told of a room whose list changed. The newest speaker comes first. */
export type SpeakersListener = (room: string, speakers: readonly Speaker[]) => void

const NOBODY: readonly Speaker[] = []
/** Between two looks at the voices, ms. */
const TICK_MS = 100

/**
 * The speakers of every room. A room is kept while somebody's sound is followed in it, and there is a
 * timer only while there is such a room.
 */
export class Speakers {
  private readonly clock: Clock
  private readonly settings: Partial<SpeakerSettings>
  private readonly rooms = new Map<string, RoomSpeakers>()
  private readonly listeners = new Set<SpeakersListener>()
  private stopTicking: (() => void) | null = null

  constructor(clock: Clock, settings: Partial<SpeakerSettings> = {}) {
    this.clock = clock
    this.settings = settings
  }

  /** Rooms in which somebody's sound is followed. */
  get roomCount(): number {
    return this.rooms.size
  }

  /**
   * Where the levels of a participant go: kept with their audio track, so that an object costs no
   * search. Null when the room has too many.
   */
  voice(room: string, participant: string): Voice | null {
    let speakers = this.rooms.get(room)
    if (!speakers) {
      speakers = new RoomSpeakers(this.settings)
      this.rooms.set(room, speakers)
      this.stopTicking ??= this.clock.after(TICK_MS, this.tick)
    }
    return speakers.voice(participant)
  }

  /** The participant is gone, or their sound is. */
  remove(room: string, participant: string): void {
    const speakers = this.rooms.get(room)
    if (!speakers) return
    speakers.remove(participant)
    if (speakers.size > 0) return
    this.rooms.delete(room)
    if (speakers.speakers.length > 0) this.tell(room, NOBODY)
    if (this.rooms.size > 0) return
    this.stopTicking?.()
    this.stopTicking = null
  }

  of(room: string): readonly Speaker[] {
    return this.rooms.get(room)?.speakers ?? NOBODY
  }

  /** Tells of every change from now on. @returns what ends that */
  listen(listener: SpeakersListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private readonly tick = () => {
    this.stopTicking = this.clock.after(TICK_MS, this.tick)
    const now = this.clock.now()
    for (const [name, room] of this.rooms) if (room.update(now)) this.tell(name, room.speakers)
  }

  private tell(room: string, speakers: readonly Speaker[]): void {
    for (const listener of this.listeners) listener(room, speakers)
  }
}
