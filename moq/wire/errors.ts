import { codeName, SessionCode } from './codes.ts'

/**
 * The peer broke the protocol in a way for which the draft ends the session. This is the only error
 * that a decoder throws; `code` is the session termination code to close with.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: number

  constructor(reason: string, code: number = SessionCode.PROTOCOL_VIOLATION) {
    super(`${codeName(SessionCode, code)}: ${reason}`)
    this.code = code
  }
}
