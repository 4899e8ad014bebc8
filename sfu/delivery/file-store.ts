/**
 * Rooms on disk: a file each in `rooms/` of the data directory, named by the hash of the room's name,
 * which is its first record.
 *
 * - A record is written at the end and synchronised (fdatasync) before `append` returns, each one for
 *   itself: handshakes are few. What a crash leaves half written was told to nobody and is cut off.
 * - A file is written anew beside the old one, synchronised, and renamed over it; then the directory
 *   is synchronised, as it is when a file comes or goes.
 * - When a write fails the file is cut back to what it was, and the caller hears of it.
 *
 * One process uses a directory at a time: a `lock` file has its process id.
 */

import { createHash } from 'node:crypto'
import * as nodeFiles from 'node:fs'
import { join } from 'node:path'
import { DirectoryLock } from './directory-lock.ts'
import { frame, unframe } from './records.ts'
import { type RoomStore, StorageError, type StoredRoom } from './room-store.ts'

/** What the store needs of `node:fs`. */
export type StoreFiles = Pick<
  typeof nodeFiles,
  | 'closeSync'
  | 'fdatasyncSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readFileSync'
  | 'readdirSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'writeSync'
>

export interface FileStoreOptions {
  /** Default: the disk. */
  readonly files?: StoreFiles
  readonly processId: number
  /** A file was not as it was written and was cut back, or removed; a sentence for the operator. */
  readonly onRepaired?: (what: string) => void
}

const MAGIC = Buffer.from('sotto room 1\0')
const SUFFIX = '.log'
const NEW_SUFFIX = '.new'

interface RoomFile {
  /** Of whole records. */
  bytes: number
  /** There may be more in it, of a write that failed. */
  torn: boolean
}

export class FileStore implements RoomStore {
  private readonly directory: string
  private readonly files: StoreFiles
  private readonly lock: DirectoryLock
  private readonly onRepaired: (what: string) => void
  private readonly rooms = new Map<string, RoomFile>()

  private constructor(directory: string, lock: DirectoryLock, options: FileStoreOptions) {
    this.directory = directory
    this.lock = lock
    this.files = options.files ?? nodeFiles
    this.onRepaired = options.onRepaired ?? (() => {})
  }

  /**
   * Makes the directory if need be.
   * @throws StorageError when it cannot be written, or another process uses it
   */
  static open(dataDirectory: string, options: FileStoreOptions): FileStore {
    const files = options.files ?? nodeFiles
    const directory = join(dataDirectory, 'rooms')
    attempt(`use the data directory ${dataDirectory}`, () =>
      files.mkdirSync(directory, { recursive: true, mode: 0o700 }),
    )
    const lock = DirectoryLock.take(dataDirectory, options.processId)
    return new FileStore(directory, lock, options)
  }

  load(): StoredRoom[] {
    const names = attempt(`read ${this.directory}`, () => this.files.readdirSync(this.directory))
    const rooms: StoredRoom[] = []
    for (const name of names) {
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

  append(room: string, record: Uint8Array): void {
    const known = this.rooms.get(room)
    const path = this.pathOf(room)
    if (known === undefined) {
      this.create(room, record)
      return
    }
    attempt(`write ${path}`, () => {
      this.withFile(path, 'r+', (file) => {
        const bytes = frame([record])
        try {
          if (known.torn) this.files.ftruncateSync(file, known.bytes)
          known.torn = true
          this.write(file, bytes, known.bytes)
          this.files.fdatasyncSync(file)
        } catch (error) {
          this.files.ftruncateSync(file, known.bytes)
          known.torn = false
          throw error
        }
        known.bytes += bytes.length
        known.torn = false
      })
    })
  }

  replace(room: string, record: Uint8Array): void {
    const path = this.pathOf(room)
    const bytes = frame([headOf(room), record])
    attempt(`write ${path}`, () => {
      const fresh = path + NEW_SUFFIX
      this.withFile(fresh, 'w', (file) => {
        this.write(file, bytes, 0)
        this.files.fsyncSync(file)
      })
      this.files.renameSync(fresh, path)
      this.rooms.set(room, { bytes: bytes.length, torn: false })
      this.syncDirectory()
    })
  }

  remove(room: string): void {
    if (!this.rooms.delete(room)) return
    const path = this.pathOf(room)
    attempt(`remove ${path}`, () => {
      this.files.unlinkSync(path)
      this.syncDirectory()
    })
  }

  size(room: string): number {
    return this.rooms.get(room)?.bytes ?? 0
  }

  /** Lets another process use the directory. */
  close(): void {
    this.lock.release()
  }

  private create(room: string, record: Uint8Array): void {
    const path = this.pathOf(room)
    const bytes = frame([headOf(room), record])
    attempt(`write ${path}`, () => {
      // What a removal that failed left there is of a room that is over.
      this.withFile(path, 'w', (file) => {
        try {
          this.write(file, bytes, 0)
          this.files.fsyncSync(file)
          this.syncDirectory()
        } catch (error) {
          this.files.unlinkSync(path)
          throw error
        }
      })
      this.rooms.set(room, { bytes: bytes.length, torn: false })
    })
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
      attempt(`repair ${path}`, () =>
        this.withFile(path, 'r+', (open) => {
          this.files.ftruncateSync(open, bytes)
          this.files.fsyncSync(open)
        }),
      )
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

  private withFile(path: string, flags: string, work: (file: number) => void): void {
    const file = this.files.openSync(path, flags, 0o600)
    try {
      work(file)
    } finally {
      this.files.closeSync(file)
    }
  }

  private syncDirectory(): void {
    this.withFile(this.directory, 'r', (file) => this.files.fsyncSync(file))
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
    throw new StorageError(`cannot ${what}: ${error instanceof Error ? error.message : error}`)
  }
}
