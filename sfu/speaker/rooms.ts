import type { Speaker } from '../../moq/media/index.ts'
import { RoomSpeakers } from './room.ts'
import type { SpeakerSettings } from './settings.ts'
import type { Voice } from './voice.ts'

const NOBODY: readonly Speaker[] = []

/** The speakers of every room. A room is kept while somebody's sound is followed in it. */
export class Speakers {
  private readonly settings: Partial<SpeakerSettings>
  private readonly rooms = new Map<string, RoomSpeakers>()

  constructor(settings: Partial<SpeakerSettings> = {}) {
    this.settings = settings
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
    }
    return speakers.voice(participant)
  }

  /** The participant is gone, or their sound is. */
  remove(room: string, participant: string): void {
    const speakers = this.rooms.get(room)
    speakers?.remove(participant)
    if (speakers?.size === 0) this.rooms.delete(room)
  }

  of(room: string): readonly Speaker[] {
    return this.rooms.get(room)?.speakers ?? NOBODY
  }

  /** To be called some ten times a second. @param onChanged told of each room whose list changed */
  update(now: number, onChanged: (room: string, speakers: readonly Speaker[]) => void): void {
    for (const [name, room] of this.rooms) if (room.update(now)) onChanged(name, room.speakers)
  }
}
