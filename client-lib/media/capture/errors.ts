/** Why a device or a screen cannot be used, and what the person can do about it. */

export type CaptureErrorCode =
  | 'permission-denied'
  | 'no-device'
  | 'device-busy'
  | 'constraints'
  | 'unsupported'
  | 'insecure-page'
  | 'failed'

export class CaptureError extends Error {
  override readonly name = 'CaptureError'
  readonly code: CaptureErrorCode
  /** What the person can do, as one sentence. */
  readonly advice: string

  constructor(code: CaptureErrorCode, message: string, advice: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.advice = advice
  }
}

/**
 * Turns a `DOMException` of getUserMedia or getDisplayMedia into what to do about it.
 * @param what the person knows it as, e.g. `camera`
 */
export function explain(error: unknown, what: string): CaptureError {
  if (error instanceof CaptureError) return error
  const name = error instanceof Error ? error.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return new CaptureError(
        'permission-denied',
        `the use of the ${what} was not allowed`,
        'Allow it for this page in the address bar, and in the settings of the system, then try again.',
        error,
      )
    case 'NotFoundError':
      return new CaptureError(
        'no-device',
        `no ${what} was found`,
        'Connect one, or go on without it.',
        error,
      )
    case 'NotReadableError':
    case 'AbortError':
      return new CaptureError(
        'device-busy',
        `the ${what} could not be started`,
        'Close other programs that use it, then try again.',
        error,
      )
    case 'OverconstrainedError':
      return new CaptureError(
        'constraints',
        `the chosen ${what} is gone, or cannot do what was asked of it`,
        'Choose another device.',
        error,
      )
    default:
      return new CaptureError(
        'failed',
        `the ${what} failed: ${error instanceof Error ? error.message : String(error)}`,
        'Try again, or go on without it.',
        error,
      )
  }
}
