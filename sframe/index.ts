/**
 * SFrame (RFC 9605): end-to-end encryption of media frames, for browsers and Node. Frames are
 * encrypted by a `SenderContext` and decrypted by a `ReceiverContext`, over a crypto provider; keys
 * come from an MLS group or any other source of base keys. A relay needs only the header.
 */
export { CounterLedger } from './counter-ledger.ts'
export { SFrameError, type SFrameErrorCode, sframeErrors } from './errors.ts'
export { type FailureCounts, type ReceiveFailure, receiveFailures } from './failures.ts'
export {
  createMutableHeader,
  decodeHeader,
  encodeHeader,
  type HeaderFault,
  MAX_HEADER_LENGTH,
  MutableHeader,
  parseHeader,
  type SFrameHeader,
} from './header.ts'
export { ratchetBaseKey, senderKeyKid } from './key-schedule.ts'
export type { MaybePromise } from './maybe-promise.ts'
export {
  EPOCH_BITS,
  type EpochKeys,
  EpochSecret,
  LEAF_BITS,
  MLS_EXPORTER_LABEL,
  type MlsKid,
  mlsKid,
  parseMlsKid,
} from './mls.ts'
export { defaultProvider } from './providers/default.ts'
export { nobleProvider } from './providers/noble.ts'
export type { AeadKey, CryptoProvider, DerivationSecret } from './providers/provider.ts'
export { webCryptoProvider } from './providers/webcrypto.ts'
export {
  ReceiverContext,
  type ReceiverDump,
  type ReceiverKeyDump,
  type ReceiverOptions,
} from './receiver.ts'
export type { ReceiverEpoch } from './receiver-keys.ts'
export {
  type CounterRange,
  type EpochSenderOptions,
  MAX_SEND_COUNTER,
  SenderContext,
  type SenderOptions,
} from './sender.ts'
export {
  type CtrHmacSuite,
  findSuite,
  type GcmSuite,
  type HashName,
  type Suite,
  type SuiteName,
  suites,
} from './suites.ts'
export { MAX_UINT64, type UInt64 } from './uint64.ts'
