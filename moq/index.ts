/**
 * MoQT (draft-ietf-moq-transport-18) for browsers and Node: the package's public face.
 *
 * - wire: codecs of control messages, data-plane headers, objects and properties, on bytes
 * - session: `Session`, one MoQT session over any `TransportSession`, and what it hands out
 * - transport: the interface below a session, the W3C WebTransport adapter and an in-memory pair
 * - media: how a call names its tracks, describes them and marks their objects (LOC, MSF)
 * - delivery: the messages of the MLS delivery service
 *
 * It has no dependency, knows no key and needs nothing of Node. Everything is synchronous; bytes are
 * views, not copies. A decoder throws `ProtocolError` and nothing else.
 */

// ---- delivery, media and session: as their own folders state them

export * from './delivery/index.ts'
export * from './media/index.ts'
export * from './session/index.ts'

// ---- transport

export {
  createTransportPair,
  type MemoryOptions,
  type MemorySide,
  type TransportPair,
} from './transport/memory.ts'
export type {
  BidiStream,
  CloseInfo,
  Congestion,
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
  TransportHandler,
  TransportKind,
  TransportSession,
} from './transport/transport.ts'
export { createW3cSession, type W3cOptions } from './transport/w3c.ts'
export type { W3cWebTransport } from './transport/w3c-types.ts'

// ---- wire

export type { Codec, DraftRules } from './wire/codec.ts'
export { codeName, DoneCode, RequestCode, ResetCode, SessionCode } from './wire/codes.ts'
export {
  type DatagramHeader,
  datagramHeaderSize,
  decodeDatagram,
  encodeDatagram,
  type ReceivedDatagram,
  reencodeDatagram,
} from './wire/datagram.ts'
export { ProtocolError } from './wire/errors.ts'
export type { FetchObject, FetchRangeEnd } from './wire/fetch.ts'
export { subgroupBodyOf } from './wire/fetch-body.ts'
export { isAfter, type Location } from './wire/location.ts'
export type * from './wire/messages.ts'
export {
  type FullTrackName,
  formatNamespace,
  formatTrack,
  hasPrefix,
  type Namespace,
  namespaceOf,
  textOf,
  trackOf,
} from './wire/names.ts'
export { MoqObject, ObjectStatus } from './wire/object.ts'
export { ObjectTooLargeError } from './wire/object-gatherer.ts'
export type {
  AuthorizationToken,
  GroupOrder,
  Parameters,
  SubscriptionFilter,
} from './wire/parameters.ts'
export {
  decodeProperties,
  encodeProperties,
  findInteger,
  type Property,
  PropertyType,
} from './wire/properties.ts'
export type { RangeFilter, ValueRange } from './wire/range-filter.ts'
export { Reader } from './wire/reader.ts'
export {
  encodeStatusBody,
  encodeSubgroupBody,
  encodeSubgroupHeader,
  isSubgroupType,
  objectIdDelta,
  readSubgroupHeader,
  type SubgroupHeader,
} from './wire/subgroup.ts'
export { SubgroupParser } from './wire/subgroup-parser.ts'
export { codecFor, VERSIONS } from './wire/versions.ts'
export { readVi64, vi64Length, vi64Size, writeVi64 } from './wire/vi64.ts'
export { Writer } from './wire/writer.ts'
