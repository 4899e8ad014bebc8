/** Where rooms are kept over a restart: for each an append-only list of records. */

/** A room as it was found at the start. */
export interface StoredRoom {
  readonly room: string
  /** In the order in which they were appended; the first may be a base. */
  readonly records: readonly Uint8Array[]
}

/** Null: it is done and durable. Else it was not done, and nothing is left of it. */
export type StoreDone = (error: StorageError | null) => void

/** One `append` or `replace` of a room at a time: the next call when `done` was called. */
export interface RoomStore {
  /** @throws StorageError */
  load(): StoredRoom[]
  /** A process that ends before `done` may leave none, some of the first, or all of them. */
  append(room: string, records: readonly Uint8Array[], done: StoreDone): void
  /** Puts one record in the place of all. */
  replace(room: string, record: Uint8Array, done: StoreDone): void
  /** The room may be appended to at once: it begins anew. */
  remove(room: string, done: StoreDone): void
  /** Bytes that the room takes. */
  size(room: string): number
}

/** The disk is full, read-only, broken, or used by another process. The message is for a person. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}
