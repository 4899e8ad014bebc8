/** Active speaker: who speaks in a room, told by the audio levels of objects, and whose video follows. */

export { type Candidates, lastN } from './last-n.ts'
export { RoomSpeakers } from './room.ts'
export { Speakers, type SpeakersListener } from './rooms.ts'
export { DEFAULT_SPEAKER, type SpeakerSettings } from './settings.ts'
export { Voice } from './voice.ts'
