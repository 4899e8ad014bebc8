/** The MLS delivery service's core: orders the handshakes of a room and keeps its newest GroupInfo. */

export type { LogRecord } from './log.ts'
export type { RefusalReason } from './refusal.ts'
export { type RoomDump, Sequencer, type SubmitResult } from './sequencer.ts'
export { defaultSequencerSettings, type Rate, type SequencerSettings } from './settings.ts'
