/** How a stream's MoQT error codes appear on the wire: as they are, or mapped as WebTransport asks. */

export interface StreamCodes {
  toWire(code: number): number
  /** Total: a code that means nothing at this level becomes 0. */
  fromWire(code: number): number
}

/** Over raw QUIC, codes go as they are (RFC 9000, Section 20.2). */
export const RAW_CODES: StreamCodes = {
  toWire: (code) => code,
  fromWire: (code) => code,
}
