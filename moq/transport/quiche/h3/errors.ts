/** HTTP/3 error codes that we use (RFC 9114, Section 8.1; RFC 9204, Section 6). */
export const H3_NO_ERROR = 0x100
export const H3_INTERNAL_ERROR = 0x102
export const H3_STREAM_CREATION_ERROR = 0x103
export const H3_CLOSED_CRITICAL_STREAM = 0x104
export const H3_FRAME_UNEXPECTED = 0x105
export const H3_FRAME_ERROR = 0x106
export const H3_EXCESSIVE_LOAD = 0x107
export const H3_ID_ERROR = 0x108
export const H3_SETTINGS_ERROR = 0x109
export const H3_MISSING_SETTINGS = 0x10a
export const H3_REQUEST_REJECTED = 0x10b
export const H3_REQUEST_INCOMPLETE = 0x10d
export const H3_MESSAGE_ERROR = 0x10e
export const H3_DATAGRAM_ERROR = 0x33
export const QPACK_DECOMPRESSION_FAILED = 0x200

/** The peer broke HTTP/3: its connection is closed with `code`. The one error of this folder. */
export class H3Error extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'H3Error'
    this.code = code
  }
}
