/**
 * Bytes that are no delivery-service message. It concerns one object: the service refuses that
 * submission, a member ignores that entry; no session ends for it.
 */
export class DeliveryFormatError extends Error {
  override readonly name: string = 'DeliveryFormatError'
}

/** A room's suite that this version does not know: another client can be in the room, this one not. */
export class UnknownSuiteError extends DeliveryFormatError {
  override readonly name = 'UnknownSuiteError'
  readonly suite: string

  constructor(suite: string) {
    super(`unknown suite ${JSON.stringify(suite)}`)
    this.suite = suite
  }
}
