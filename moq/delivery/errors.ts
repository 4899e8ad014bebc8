/**
 * Bytes that are no delivery-service message. It concerns one object: the service refuses that
 * submission, a member ignores that entry; no session ends for it.
 */
export class DeliveryFormatError extends Error {
  override readonly name = 'DeliveryFormatError'
}
