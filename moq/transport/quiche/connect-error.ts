/** Why a client has no session: what a program may branch on, and a sentence for a person. */

/**
 * - `url`: the address is none that can be connected to
 * - `unavailable`: QUIC cannot be used on this machine: no native binding, no socket
 * - `unreachable`: the server's name has no address
 * - `timeout`: the server did not answer, or not to the end, in time
 * - `certificate`: the server's certificate is not trusted
 * - `no-common-version`: the server speaks no MoQT version that was offered; over WebTransport, one may
 *   say so by a refusal
 * - `refused`: the server wants no session; the message has its reason
 * - `protocol`: the server broke a protocol
 * - `lost`: the connection ended before there was a session
 */
export type ConnectFailure =
  | 'url'
  | 'unavailable'
  | 'unreachable'
  | 'timeout'
  | 'certificate'
  | 'no-common-version'
  | 'refused'
  | 'protocol'
  | 'lost'

/** No session came about; `kind` says at what it failed. */
export class ConnectError extends Error {
  readonly kind: ConnectFailure

  /** @param message one sentence, made to be read */
  constructor(kind: ConnectFailure, message: string) {
    super(message)
    this.name = 'ConnectError'
    this.kind = kind
  }
}
