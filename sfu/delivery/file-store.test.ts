import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, placeOfDigest, placeOfRoom } from '../workers/place.ts'
import { atOnce, DirectStore, directFiles, SlowDisk } from './direct-store.ts'
import { FileStore, type StoreFiles } from './file-store.ts'
import { StorageError } from './room-store.ts'

let folder: string
const repairs: string[] = []

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'sotto-store-'))
  repairs.length = 0
})

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
})

function open(files: Partial<StoreFiles> = {}, processId = process.pid): DirectStore {
  const onRepaired = (what: string) => repairs.push(what)
  return new DirectStore(folder, { files: { ...directFiles, ...files }, processId, onRepaired })
}

const record = (text: string) => new TextEncoder().encode(text)

/** What a process that starts now finds. */
function found(): Record<string, string[]> {
  const rooms = open().load()
  return Object.fromEntries(
    rooms.map(({ room, records }) => [room, records.map((bytes) => Buffer.from(bytes).toString())]),
  )
}

function only(): string {
  const names = fs.readdirSync(join(folder, 'rooms'))
  expect(names).toHaveLength(1)
  return join(folder, 'rooms', names[0]!)
}

describe('rooms on disk', () => {
  it('are there after a restart, each with its records in order', () => {
    const store = open()
    store.append('a', record('1'))
    store.append('../b\0/☃', record('1'))
    store.append('a', record('2'))
    expect(found()).toEqual({ a: ['1', '2'], '../b\0/☃': ['1'] })
    expect(repairs).toEqual([])
  })

  it('are gone when they are removed, and begin anew', () => {
    const store = open()
    store.append('a', record('1'))
    store.remove('a')
    expect(fs.readdirSync(join(folder, 'rooms'))).toEqual([])
    expect(store.size('a')).toBe(0)
    store.append('a', record('2'))
    expect(found()).toEqual({ a: ['2'] })
  })

  it('are written anew in one step', () => {
    const store = open()
    for (let i = 0; i < 10; i++) store.append('a', record(`${i}`))
    const before = store.size('a')
    store.replace('a', record('base'))
    expect(store.size('a')).toBeLessThan(before)
    store.append('a', record('next'))
    expect(found()).toEqual({ a: ['base', 'next'] })
    expect(fs.statSync(only()).size).toBe(store.size('a'))
  })

  it('stay as they were when writing anew fails at any step', () => {
    for (const step of ['write', 'sync', 'rename']) {
      fs.rmSync(folder, { recursive: true })
      let broken = false
      const work = <T>(name: string, real: () => T): T => {
        if (broken && name === step) throw new Error('it broke')
        return real()
      }
      const writeSync = ((file: number, bytes: Uint8Array, ...rest: number[]) =>
        work('write', () => fs.writeSync(file, bytes, ...rest))) as typeof fs.writeSync
      const store = open({
        writeSync,
        fsync: atOnce((file) => work('sync', () => fs.fsyncSync(file))),
        renameSync: (from, to) => work('rename', () => fs.renameSync(from, to)),
      })
      store.append('a', record('1'))
      broken = true
      expect(() => store.replace('a', record('base'))).toThrow(StorageError)
      broken = false
      store.append('a', record('2'))
      expect(found()).toEqual({ a: ['1', '2'] })
      expect(fs.readdirSync(join(folder, 'rooms'))).toHaveLength(1)
    }
  })
})

describe('a torn file', () => {
  /** The file with four records, and where each of them ends. */
  function written(): { path: string; file: Buffer; ends: number[] } {
    const store = open()
    const ends: number[] = []
    for (const text of ['one', '', 'three', 'a longer fourth']) {
      store.append('room', record(text))
      ends.push(store.size('room'))
    }
    const path = only()
    return { path, file: fs.readFileSync(path), ends }
  }

  const texts = ['one', '', 'three', 'a longer fourth']

  /** Puts a file there; what is found must be the whole records before `at`, and must take a next one. */
  function check(path: string, file: Uint8Array, ends: number[], at: number): void {
    fs.writeFileSync(path, file)
    const whole = ends.filter((end) => end <= at).length
    const expected = texts.slice(0, whole)
    const [room] = open().load()
    expect(room?.records.map((bytes) => Buffer.from(bytes).toString()) ?? []).toEqual(expected)
    const store = open()
    store.load()
    store.append('room', record('next'))
    expect(found()).toEqual({ room: [...expected, 'next'] })
    for (const name of fs.readdirSync(join(folder, 'rooms'))) {
      fs.unlinkSync(join(folder, 'rooms', name))
    }
  }

  it('loses what is behind the cut, wherever it is cut', () => {
    const { path, file, ends } = written()
    for (let at = 0; at < file.length; at++) check(path, file.subarray(0, at), ends, at)
    expect(repairs.length).toBeGreaterThan(file.length / 2)
  })

  it('loses the first record with a wrong bit and what is behind it, whichever byte that is in', () => {
    const { path, file, ends } = written()
    for (let at = 0; at < file.length; at++) {
      const flipped = Buffer.from(file)
      flipped[at] = flipped[at]! ^ (1 << (at % 8))
      check(path, flipped, ends, at)
    }
  })

  it('says what was done to it', () => {
    const { path, file } = written()
    fs.writeFileSync(path, file.subarray(0, -1))
    open().load()
    expect(repairs).toEqual([expect.stringContaining('was cut by 26 bytes')])
  })
})

describe('a disk that fails', () => {
  it('costs the record that it did not take, and nothing else', () => {
    let room = Number.POSITIVE_INFINITY
    const writeSync = ((
      file: number,
      bytes: Uint8Array,
      from: number,
      length: number,
      at: number,
    ) => {
      const size = Math.min(length, room)
      room -= size
      if (size > 0) return fs.writeSync(file, bytes, from, size, at)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    }) as typeof fs.writeSync
    const store = open({ writeSync })
    store.append('a', record('1'))
    room = 7
    expect(() => store.append('a', record('2'))).toThrow(/cannot write .*no space left on device/)
    room = 7
    expect(() => store.append('b', record('1'))).toThrow(StorageError)
    expect(found()).toEqual({ a: ['1'] })
    expect(repairs).toEqual([])
    room = Number.POSITIVE_INFINITY
    store.append('a', record('3'))
    expect(found()).toEqual({ a: ['1', '3'] })
  })

  it('that does not even let a file be cut back leaves nothing behind once it works again', () => {
    let broken = false
    const store = open({
      fdatasync: atOnce((file) => {
        if (broken) throw new Error('EIO: i/o error, fdatasync')
        fs.fdatasyncSync(file)
      }),
      ftruncateSync: (file, length) => {
        if (broken) throw new Error('EIO: i/o error, ftruncate')
        fs.ftruncateSync(file, length)
      },
    })
    store.append('a', record('1'))
    broken = true
    expect(() => store.append('a', record('a long one that fails'))).toThrow(StorageError)
    broken = false
    store.append('a', record('2'))
    expect(found()).toEqual({ a: ['1', '2'] })
    expect(repairs).toEqual([])
  })

  it('synchronises each record before it says that it has it', () => {
    const calls: string[] = []
    const store = open({
      fdatasync: atOnce((file) => {
        calls.push('fdatasync')
        fs.fdatasyncSync(file)
      }),
      fsync: atOnce((file) => {
        calls.push('fsync')
        fs.fsyncSync(file)
      }),
    })
    store.append('a', record('1'))
    // The file, then the directory that names it.
    expect(calls.splice(0)).toEqual(['fsync', 'fsync'])
    store.append('a', record('2'))
    expect(calls.splice(0)).toEqual(['fdatasync'])
  })
})

describe('a disk that takes long', () => {
  it('is waited for beside the event loop, and what is not synchronised is not done', () => {
    const disk = new SlowDisk()
    const store = FileStore.open(folder, { files: disk.files, processId: process.pid })
    const done: string[] = []
    const tell = (what: string) => (error: Error | null) => done.push(error?.message ?? what)
    store.append('a', [record('1'), record('2')], tell('a'))
    expect(disk.asked).toEqual(['fsync'])
    expect(done).toEqual([])
    expect(store.size('a')).toBe(0)
    disk.finish()
    expect(disk.asked).toEqual(['fsync', 'fsync'])
    expect(done).toEqual(['a'])
    store.append('a', [record('3'), record('4')], tell('more'))
    expect(done).toEqual(['a'])
    disk.finish()
    // One for both of them.
    expect(disk.asked).toEqual(['fsync', 'fsync', 'fdatasync'])
    expect(done).toEqual(['a', 'more'])
    store.replace('a', record('base'), tell('anew'))
    expect(done).toEqual(['a', 'more'])
    disk.finish()
    expect(done).toEqual(['a', 'more', 'anew'])
    expect(found()).toEqual({ a: ['base'] })
  })

  it('takes two of Node’s threads at most', () => {
    const disk = new SlowDisk()
    const store = FileStore.open(folder, { files: disk.files, processId: process.pid })
    let done = 0
    for (const room of ['a', 'b', 'c', 'd', 'e']) store.append(room, [record('1')], () => done++)
    expect(disk.waiting).toHaveLength(2)
    disk.finish()
    expect(done).toBe(5)
    expect(Object.keys(found())).toHaveLength(5)
  })

  it('is not waited for when the store is closed: nobody is told, and no file is touched', () => {
    const disk = new SlowDisk()
    const store = FileStore.open(folder, { files: disk.files, processId: process.pid })
    store.append('a', [record('1')], () => {})
    disk.finish()
    let told = 0
    store.replace('a', record('base'), () => told++)
    store.close()
    disk.finish()
    expect(told).toBe(0)
    expect(found()).toEqual({ a: ['1'] })
  })
})

describe('a data directory', () => {
  it('that cannot be written is an error at the start', () => {
    const path = join(folder, 'file')
    fs.writeFileSync(path, '')
    expect(() => FileStore.open(path, { processId: 1 })).toThrow(
      /cannot use the data directory .*file/,
    )
  })

  it('is used by one process at a time, however the last one ended', () => {
    const other = process.ppid
    const first = open({}, other)
    expect(() => open()).toThrow(new RegExp(`process ${other} uses it`))
    first.close()
    open().close()
    fs.writeFileSync(join(folder, 'lock'), '999999999\n')
    open().close()
  })

  it('is shared by several processes, each with rooms of its own, however many there are', () => {
    const names = Array.from({ length: 12 }, (_, index) => `room ${index}`)
    const share = (count: number, index: number): FileStore => {
      const owns = (digest: string) => placeOfDigest(digest, count) === index
      return FileStore.open(folder, {
        processId: process.pid,
        files: directFiles,
        shared: { owns },
        onRepaired: (what) => repairs.push(what),
      })
    }
    const store = open()
    for (const name of names) store.append(name, record('1'))
    store.close()
    for (const count of [1, 2, 5]) {
      const stores = Array.from({ length: count }, (_, index) => share(count, index))
      const loaded = stores.map((one) => one.load().map(({ room }) => room))
      for (const [index, rooms] of loaded.entries()) {
        expect(rooms.every((room) => placeOfRoom(room, count) === index)).toBe(true)
        for (const room of rooms) stores[index]!.append(room, [record('2')], () => {})
      }
      expect(loaded.flat().toSorted()).toEqual(names.toSorted())
    }
    expect(Object.values(found())).toEqual(names.map(() => ['1', '2', '2', '2']))
  })

  it('is left as it is by a process whose rooms others write', () => {
    const mine = 'room 0'
    const index = placeOfRoom(mine, 2)
    const fresh = (room: string) => join(folder, 'rooms', `${digestOf(room)}.log.new`)
    const theirs = ['room 1', 'room 2', 'room 3', 'room 4', 'room 5', 'room 6'].find(
      (room) => placeOfRoom(room, 2) !== index,
    )!
    open().close()
    fs.writeFileSync(fresh(mine), 'half')
    fs.writeFileSync(fresh(theirs), 'half')
    const owns = (digest: string) => placeOfDigest(digest, 2) === index
    FileStore.open(folder, { processId: 1, shared: { owns } }).load()
    expect([fs.existsSync(fresh(mine)), fs.existsSync(fresh(theirs))]).toEqual([false, true])
  })
})
