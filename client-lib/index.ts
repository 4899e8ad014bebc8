/** The call library: join an end-to-end-encrypted call from a browser. */

export { Call, joinCall } from './call/call.ts'
export type { ExpectedCall } from './call/call-worker.ts'
export type { JoinTimes } from './call/join-times.ts'
export { CallOptionsError } from './call/options.ts'
export type { ParticipantView, PictureSource } from './call/participant-view.ts'
export { preloadCall } from './call/preload.ts'
export { configFromServer, type ServerConfig } from './call/server-config.ts'
export type {
  CallError,
  CallErrorCode,
  CallEvents,
  CallState,
  ChatSettings,
  DecryptFailure,
  DecryptFailures,
  DeviceChange,
  DeviceChoice,
  DeviceKind,
  DevicesInUse,
  GroupMember,
  InputKind,
  JoinOptions,
  KeySettings,
  MediaChoice,
  Participant,
  PathInfo,
  PublicKeySet,
  RepairFigures,
  Snapshot,
  SuiteName,
  TokenRequest,
  TrackInfo,
  TrackKind,
} from './call/types.ts'
export {
  type ChatData,
  type ChatDelivery,
  ChatError,
  type ChatErrorCode,
  type ChatText,
  type ReceivedData,
  type ReceivedText,
} from './chat/index.ts'
export { canChooseSpeaker } from './media/audio-output.ts'
export type { VideoCodecName } from './media/codecs.ts'
export type {
  AlarmName,
  Emoji,
  NoticeName,
  VerificationEvent,
  VerificationEventKind,
  VerificationLevel,
} from './verification/index.ts'
