/**
 * MoQT sessions for programs that run in Node: tools, tests, load generators. `connect` goes over raw
 * QUIC (`moqt://`) or WebTransport (`https://`). It needs the native binding of quiche
 * (`@matrixai/quic-<platform>-<architecture>`), and is no part of what a browser loads.
 */

export { ConnectError, type ConnectFailure } from '../transport/quiche/connect-error.ts'
export type { CongestionControl, QuicLimits } from '../transport/quiche/settings.ts'
export type { Trust } from '../transport/quiche/trust.ts'
export { type MoqtAddress, parseAddress } from './address.ts'
export { type ConnectOptions, connect } from './connect.ts'
