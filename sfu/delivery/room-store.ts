/** Where rooms are kept over a restart: for each an append-only list of records. */

/** A room as it was found at the start. */
export interface StoredRoom {
  readonly room: string
  /** In the order in which they were appended; the first may be a base. */
  readonly records: readonly Uint8Array[]
}

/** Every method throws `StorageError` when it could not do what it says, and has then done nothing. */
export interface RoomStore {
  load(): StoredRoom[]
  /** When it returns the record is durable. */
  append(room: string, record: Uint8Array): void
  /** Puts one record in the place of all. */
  replace(room: string, record: Uint8Array): void
  remove(room: string): void
  /** Bytes that the room takes. */
  size(room: string): number
}

/** The disk is full, read-only, broken, or used by another process. The message is for a person. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}
