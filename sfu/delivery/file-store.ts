/**
 * Rooms on disk: a file each in `rooms/` of the data directory, named by the hash of the room's name,
 * which is its first record.
 *
 * - Records are written at the end, and synchronised (fdatasync) before `append` is done. What a crash
 *   leaves half written was told to nobody and is cut off.
 * - A file is written anew beside the old one, synchronised, and renamed over it; then the directory
 *   is synchronised, as it is when a file comes or goes.
 * - When a write fails the file is cut back to what it was, and the caller hears of it.
 * - What waits for the disk waits beside the event loop: media do not stand still for it. What only
 *   reaches the kernel's memory (open, write, rename, close) is done at once.
 *
 * One process uses a directory at a time: a `lock` file has its process id. Or several share it, each with
 * rooms of its own, while the process that started them has the lock.
 */

import { createHash } from 'node:crypto'
import * as nodeFiles from 'node:fs'
import { join } from 'node:path'
import { DirectoryLock } from './directory-lock.ts'
import { frame, unframe } from './records.ts'
import { type RoomStore, StorageError, type StoreDone, type StoredRoom } from './room-store.ts'
import { type Done, SyncQueue } from './sync-queue.ts'

/** What the store needs of `node:fs`. */
export type StoreFiles = Pick<
  typeof nodeFiles,
  | 'closeSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readFileSync'
  | 'readdirSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'writeSync'
> & {
  fdatasync(file: number, done: Done): void
  fsync(file: number, done: Done): void
}

export interface FileStoreOptions {
  /** Default: the disk. */
  readonly files?: StoreFiles
  readonly processId: number
  /** Null, the default: the directory is this process's alone. */
  readonly shared?: SharedDirectory | null
  /** A file was not as it was written and was cut back, or removed; a sentence for the operator. */
  readonly onRepaired?: (what: string) => void
}

/** The part of one of several processes in a directory that another one has locked for them. */
export interface SharedDirectory {
  /** Whether a room is this process's. @param digest SHA-256 of its name, hex */
  owns(digest: string): boolean
}

const MAGIC = Buffer.from('sotto room 1\0')
const SUFFIX = '.log'
const NEW_SUFFIX = '.new'
/** Of Node's four threads. */
const MOST_SYNCS = 2

interface RoomFile {
  /** Of whole records. */
  bytes: number
  /** There may be more in it, of a write that failed. */
  torn: boolean
}

export class FileStore implements RoomStore {
  private readonly directory: string
  private readonly files: StoreFiles
  /** Null: somebody else has it, for us too. */
  private readonly lock: DirectoryLock | null
  private readonly shared: SharedDirectory | null
  private readonly onRepaired: (what: string) => void
  private readonly rooms = new Map<string, RoomFile>()
  private readonly syncs = new SyncQueue(MOST_SYNCS)
  private closed = false

  private constructor(directory: string, lock: DirectoryLock | null, options: FileStoreOptions) {
    this.directory = directory
    this.lock = lock
    this.shared = options.shared ?? null
    this.files = options.files ?? nodeFiles
    this.onRepaired = options.onRepaired ?? (() => {})
  }

  /**
   * Makes the directory if need be.
   * @throws StorageError when it cannot be written, or another process uses it and does not share it
   */
  static open(dataDirectory: string, options: FileStoreOptions): FileStore {
    const files = options.files ?? nodeFiles
    const directory = join(dataDirectory, 'rooms')
    attempt(`use the data directory ${dataDirectory}`, () =>
      files.mkdirSync(directory, { recursive: true, mode: 0o700 }),
    )
    const lock = options.shared ? null : DirectoryLock.take(dataDirectory, options.processId)
    return new FileStore(directory, lock, options)
  }

  load(): StoredRoom[] {
    const names = attempt(`read ${this.directory}`, () => this.files.readdirSync(this.directory))
    const rooms: StoredRoom[] = []
    for (const name of names) {
      if (this.shared && !this.shared.owns(name.replace(/\..*$/s, ''))) continue
      const path = join(this.directory, name)
      // Written anew, but not in place when the process ended.
      if (name.endsWith(NEW_SUFFIX)) attempt(`remove ${path}`, () => this.files.unlinkSync(path))
      else if (name.endsWith(SUFFIX)) {
        const room = this.read(path)
        if (room) rooms.push(room)
      }
    }
    return rooms
  }

  append(room: string, records: readonly Uint8Array[], done: StoreDone): void {
    const path = this.pathOf(room)
    const known = this.rooms.get(room)
    const end = told(`write ${path}`, done)
    if (known === undefined) this.create(room, path, records, end)
    else this.extend(path, known, frame(records), end)
  }

  replace(room: string, record: Uint8Array, done: StoreDone): void {
    const path = this.pathOf(room)
    const bytes = frame([headOf(room), record])
    const end = told(`write ${path}`, done)
    const fresh = path + NEW_SUFFIX
    const written: Done = (error) => {
      if (error !== null) {
        end(error)
        return
      }
      try {
        this.files.renameSync(fresh, path)
      } catch (why) {
        end(why)
        return
      }
      this.rooms.set(room, { bytes: bytes.length, torn: false })
      this.syncDirectory(end)
    }
    this.withFile(
      fresh,
      'w',
      (file, close) => {
        this.write(file, bytes, 0)
        this.sync('fsync', file, close)
      },
      written,
    )
  }

  remove(room: string, done: StoreDone): void {
    const path = this.pathOf(room)
    const end = told(`remove ${path}`, done)
    if (!this.rooms.delete(room)) {
      end(null)
      return
    }
    try {
      this.files.unlinkSync(path)
    } catch (error) {
      end(error)
      return
    }
    this.syncDirectory(end)
  }

  size(room: string): number {
    return this.rooms.get(room)?.bytes ?? 0
  }

  /** Lets another process use the directory: what was not done yet is not done, and nobody is told. */
  close(): void {
    this.closed = true
    this.lock?.release()
  }

  private create(room: string, path: string, records: readonly Uint8Array[], done: Done): void {
    const bytes = frame([headOf(room), ...records])
    // What a removal that failed left there is of a room that is over.
    this.withFile(
      path,
      'w',
      (file, close) => {
        this.write(file, bytes, 0)
        this.sync('fsync', file, (error) => {
          if (error === null) this.syncDirectory(close)
          else close(error)
        })
      },
      (error) => {
        if (error === null) this.rooms.set(room, { bytes: bytes.length, torn: false })
        else this.discard(path)
        done(error)
      },
    )
  }

  private extend(path: string, known: RoomFile, bytes: Uint8Array, done: Done): void {
    this.withFile(
      path,
      'r+',
      (file, close) => {
        const end: Done = (error) => {
          if (error === null) {
            known.bytes += bytes.length
            known.torn = false
          } else if (!this.closed) this.cutBack(file, known)
          close(error)
        }
        try {
          if (known.torn) this.files.ftruncateSync(file, known.bytes)
          known.torn = true
          this.write(file, bytes, known.bytes)
        } catch (error) {
          end(error)
          return
        }
        this.sync('fdatasync', file, end)
      },
      done,
    )
  }

  private cutBack(file: number, known: RoomFile): void {
    try {
      this.files.ftruncateSync(file, known.bytes)
      known.torn = false
    } catch {
      // It stays torn: the next write cuts it first.
      known.torn = true
    }
  }

  private discard(path: string): void {
    try {
      this.files.unlinkSync(path)
    } catch {
      // The file could not be made, or is of a disk that fails: the caller hears of that.
    }
  }

  private read(path: string): StoredRoom | null {
    const file = attempt(`read ${path}`, () => this.files.readFileSync(path))
    const { records, bytes } = unframe(file)
    const room = records[0] && roomOf(records[0])
    if (room === undefined || room === null || records.length < 2) {
      attempt(`remove ${path}`, () => this.files.unlinkSync(path))
      this.onRepaired(`${path} was removed: it has no whole record of a room`)
      return null
    }
    if (bytes < file.length) {
      attempt(`repair ${path}`, () => this.repair(path, bytes))
      this.onRepaired(`${path} was cut by ${file.length - bytes} bytes that are no whole record`)
    }
    this.rooms.set(room, { bytes, torn: false })
    return { room, records: records.slice(1) }
  }

  private pathOf(room: string): string {
    const name = createHash('sha256').update(room).digest('hex')
    return join(this.directory, name + SUFFIX)
  }

  private write(file: number, bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      const written = this.files.writeSync(file, bytes, done, bytes.length - done, position + done)
      if (written === 0) throw new Error('nothing more can be written')
      done += written
    }
  }

  /** At the start, when there is no media to hold up. */
  private repair(path: string, bytes: number): void {
    const file = this.files.openSync(path, 'r+', 0o600)
    try {
      this.files.ftruncateSync(file, bytes)
      this.files.fsyncSync(file)
    } finally {
      this.files.closeSync(file)
    }
  }

  /** Opens a file for a piece of work that may take until `close`, and closes it however that ends. */
  private withFile(
    path: string,
    flags: string,
    work: (file: number, close: Done) => void,
    done: Done,
  ): void {
    let file: number
    try {
      file = this.files.openSync(path, flags, 0o600)
    } catch (error) {
      done(error)
      return
    }
    const close: Done = (error) => {
      const failed = this.tryClose(file)
      if (!this.closed) done(error ?? failed)
    }
    let thrown: unknown = null
    try {
      work(file, close)
      return
    } catch (error) {
      thrown = error
    }
    close(thrown)
  }

  /** What kept it from closing, or null. */
  private tryClose(file: number): unknown {
    try {
      this.files.closeSync(file)
      return null
    } catch (error) {
      return error
    }
  }

  private sync(how: 'fsync' | 'fdatasync', file: number, done: Done): void {
    this.syncs.run((finished) => this.files[how](file, finished), done)
  }

  private syncDirectory(done: Done): void {
    this.withFile(this.directory, 'r', (file, close) => this.sync('fsync', file, close), done)
  }
}

function headOf(room: string): Uint8Array {
  return Buffer.concat([MAGIC, Buffer.from(room)])
}

function roomOf(head: Uint8Array): string | null {
  if (Buffer.compare(head.subarray(0, MAGIC.length), MAGIC) !== 0) return null
  return Buffer.from(head.subarray(MAGIC.length)).toString()
}

/** @throws StorageError that says what could not be done, and why */
function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failure(what, error)
  }
}

function told(what: string, done: StoreDone): Done {
  return (error) => done(error === null ? null : failure(what, error))
}

function failure(what: string, error: unknown): StorageError {
  return new StorageError(`cannot ${what}: ${error instanceof Error ? error.message : error}`)
}
