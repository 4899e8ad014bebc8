/** Every way in which the keys of a call can fail, by code. */
export type KeysErrorCode =
  /** The room's suite is not the required one, or is not the one that its snapshot names. */
  | 'suite-mismatch'
  /** The room has a suite that this version, or this browser, does not have. */
  | 'suite-unsupported'
  /** The snapshot is no GroupInfo that can be joined from. */
  | 'group-info-invalid'
  /** A commit in the log breaks MLS or this library's rules for a room. */
  | 'commit-invalid'
  /** A credential, or the signature key under it, was refused. */
  | 'identity-refused'
  /** More members than `maxMembers`. */
  | 'too-many-members'
  /** Other participants' commits won every race. */
  | 'contention'
  /** Something was asked of the group while this member is not in it. */
  | 'not-a-member'
  /** The delivery service did not answer. */
  | 'no-answer'
  /** Another session took over this participant id. */
  | 'replaced'
  /** Bytes from the delivery service that are none of its messages. */
  | 'malformed'
  /** A bug here or in a library. */
  | 'internal'

export class KeysError extends Error {
  override readonly name = 'KeysError'
  readonly code: KeysErrorCode

  constructor(code: KeysErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The room, or the caller, wants a suite that cannot be had here. */
export class UnsupportedSuiteError extends KeysError {
  /** Its name in the room's parameters; of a later version maybe. */
  readonly suite: string

  constructor(suite: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super('suite-unsupported', `suite ${suite} is not supported here: ${why}`, cause)
    this.suite = suite
  }
}

/** Runs `work`; what is not a KeysError yet becomes one with this code. */
export async function asKeysError<T>(
  code: KeysErrorCode,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof KeysError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new KeysError(code, `${what}: ${detail}`, error)
  }
}
