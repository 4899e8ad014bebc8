/** Which limit, if any, ended a connection or its session. */

import type { ConnectionEnd } from '../../../moq/transport/quiche/connection.ts'
import type { EngineLimitName } from '../engine.ts'

/** QUIC transport errors (RFC 9000, Section 20.1), found by quiche in what the peer did. */
const FLOW_CONTROL_ERROR = 0x3
const STREAM_LIMIT_ERROR = 0x4

/** A `Connection`, as far as it is looked at. */
export interface Ended {
  readonly outflow: { readonly isOverfull: boolean }
  readonly expired: boolean
  /** Null where only its session is over. */
  readonly end: ConnectionEnd | null
}

/** @param wasSession whether the connection ever became a session */
export function limitOf(connection: Ended, wasSession: boolean): EngineLimitName | null {
  if (connection.outflow.isOverfull) return 'send-buffer'
  const { end } = connection
  if (end === null) return null
  if (!wasSession && (connection.expired || end.by === 'timeout')) return 'handshake-time'
  if (end.by === 'timeout') return 'idle-time'
  if (end.by !== 'local' || end.isApplication) return null
  if (end.code === STREAM_LIMIT_ERROR) return 'streams'
  return end.code === FLOW_CONTROL_ERROR ? 'flow-control' : null
}
