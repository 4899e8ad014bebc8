/**
 * Media metadata that is not what its specification says: a name, an object's properties or a
 * catalog. It concerns one object or one track and never ends a session.
 */
export class MediaFormatError extends Error {
  override readonly name = 'MediaFormatError'
}
