/** The MLS delivery service's core: orders the handshakes of a room and keeps its newest GroupInfo. */

export { type DeliveryCounters, makeDeliveryCounters, submissionKinds } from './counters.ts'
export { DirectoryLock } from './directory-lock.ts'
export { FileStore, type SharedDirectory } from './file-store.ts'
export type { LogRecord } from './log.ts'
export { type RefusalReason, refusalReasons } from './refusal.ts'
export { type RoomStore, StorageError, type StoredRoom } from './room-store.ts'
export {
  type RoomDump,
  Sequencer,
  type SequencerOptions,
  type SubmitResult,
} from './sequencer.ts'
export { defaultSequencerSettings, type Rate, type SequencerSettings } from './settings.ts'
