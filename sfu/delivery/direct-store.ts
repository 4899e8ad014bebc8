/** For tests: stores on the real disk that need no waiting, because they are done at once or when told. */

import * as fs from 'node:fs'
import { FileStore, type FileStoreOptions, type StoreFiles } from './file-store.ts'
import type { StorageError, StoreDone, StoredRoom } from './room-store.ts'
import type { Done } from './sync-queue.ts'

/** A synchronisation that is done at once. */
export function atOnce(sync: (file: number) => void): (file: number, done: Done) => void {
  return (file, done) => {
    let failure: unknown = null
    try {
      sync(file)
    } catch (error) {
      failure = error
    }
    done(failure)
  }
}

export const directFiles: StoreFiles = {
  ...fs,
  fdatasync: atOnce(fs.fdatasyncSync),
  fsync: atOnce(fs.fsyncSync),
}

/** A disk that is done with what it was asked to synchronise when the test says so. */
export class SlowDisk {
  readonly asked: string[] = []
  readonly waiting: ((failure: Error | null) => void)[] = []
  readonly files: StoreFiles = {
    ...fs,
    fdatasync: this.later('fdatasync', fs.fdatasyncSync),
    fsync: this.later('fsync', fs.fsyncSync),
  }

  /** What waits, and what that brings about. */
  finish(): void {
    while (this.waiting.length > 0) this.finishOne()
  }

  finishOne(): void {
    this.waiting.shift()?.(null)
  }

  /** The oldest one fails. */
  fail(why: string): void {
    this.waiting.shift()?.(new Error(why))
  }

  private later(name: string, sync: (file: number) => void) {
    return (file: number, done: Done) => {
      this.asked.push(name)
      this.waiting.push((failure) => (failure ? done(failure) : atOnce(sync)(file, done)))
    }
  }
}

/** A file store whose calls throw what they failed with. */
export class DirectStore {
  readonly store: FileStore

  constructor(directory: string, options: FileStoreOptions) {
    this.store = FileStore.open(directory, { files: directFiles, ...options })
  }

  load(): StoredRoom[] {
    return this.store.load()
  }

  append(room: string, ...records: Uint8Array[]): void {
    now((done) => this.store.append(room, records, done))
  }

  replace(room: string, record: Uint8Array): void {
    now((done) => this.store.replace(room, record, done))
  }

  remove(room: string): void {
    now((done) => this.store.remove(room, done))
  }

  size(room: string): number {
    return this.store.size(room)
  }

  close(): void {
    this.store.close()
  }
}

function now(work: (done: StoreDone) => void): void {
  let result: StorageError | null | undefined
  work((error) => {
    result = error
  })
  if (result === undefined) throw new Error('it is not done')
  if (result !== null) throw result
}
