import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StorageError } from './room-store.ts'

/** Keeps a second process out of a directory; what a process that was killed left behind does not. */
export class DirectoryLock {
  private readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /**
   * Makes the directory if need be.
   * @throws StorageError when a living process has it, or the directory cannot be written
   */
  static take(directory: string, processId: number): DirectoryLock {
    const path = join(directory, 'lock')
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      try {
        writeFileSync(path, `${processId}\n`, { flag: 'wx', mode: 0o600 })
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
        const holder = Number.parseInt(readFileSync(path, 'utf8'), 10)
        if (holder !== processId && isAlive(holder)) {
          throw new Error(`process ${holder} uses it (${path})`)
        }
        writeFileSync(path, `${processId}\n`)
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new StorageError(`cannot use the data directory ${directory}: ${why}`)
    }
    return new DirectoryLock(path)
  }

  release(): void {
    try {
      unlinkSync(this.path)
    } catch (error) {
      // Somebody tidied up before us.
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }
}

function isAlive(processId: number): boolean {
  if (!Number.isInteger(processId) || processId <= 0) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // It lives, as another user's.
    return codeOf(error) === 'EPERM'
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
