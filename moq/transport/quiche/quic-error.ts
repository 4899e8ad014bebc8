/** QUIC that cannot start here: no binding, no port, no usable certificate. */

/** One line, made to be read. */
export class QuicError extends Error {
  /** The operating system's code where there is one, such as `EADDRINUSE`. */
  readonly code: string | null

  constructor(message: string, code: string | null = null) {
    super(message)
    this.name = 'QuicError'
    this.code = code
  }
}
