/**
 * The browser's `StateStore`: in IndexedDB, encrypted with AES-256-GCM under a key that WebCrypto made
 * non-extractable and that lies in the same database. It protects against who reads the disk's files,
 * not against who runs code in the page's origin. Leases are Web Locks, which end with their holder.
 * What nobody came back for is deleted after an hour: the group has removed that member long before.
 */

import type { StateSlot, StateStore } from './state-store.ts'

const DATABASE = 'sotto-keys'
const STATES = 'states'
const KEYS = 'keys'
const KEY_NAME = 'state'
const LOCK_PREFIX = 'sotto-keys:'
const NONCE_BYTES = 12
const KEEP_MS = 3_600_000

interface Sealed {
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly ciphertext: ArrayBuffer
  /** ms since 1970. */
  readonly savedAt: number
}

const utf8 = new TextEncoder()

export class IndexedDbStateStore implements StateStore {
  private readonly database: string
  private readonly wallClock: () => number
  private connection: Promise<IDBDatabase> | null = null

  /**
   * @param database its name, for tests
   * @param wallClock ms since 1970
   */
  constructor(database = DATABASE, wallClock: () => number = Date.now) {
    this.database = database
    this.wallClock = wallClock
  }

  /** Null also where the browser has no Web Locks: without a lease nothing is kept. */
  async open(name: string): Promise<StateSlot | null> {
    const release = await lease(`${LOCK_PREFIX}${this.database}:${name}`)
    if (release === null) return null
    try {
      const database = await this.connect()
      return new Slot(database, name, await keyOf(database), this.wallClock, release)
    } catch (error) {
      release()
      throw error
    }
  }

  /** Opens the database and has its key, so that `open` is quick later. */
  async prepare(): Promise<void> {
    await keyOf(await this.connect())
  }

  /** Deletes every state, and the key with them. */
  async deleteAll(): Promise<void> {
    const connection = this.connection
    this.connection = null
    ;(await connection)?.close()
    await settled(indexedDB.deleteDatabase(this.database))
  }

  private async openFresh(): Promise<IDBDatabase> {
    const database = await openDatabase(this.database)
    await forgetBefore(database, this.wallClock() - KEEP_MS)
    return database
  }

  private connect(): Promise<IDBDatabase> {
    this.connection ??= this.openFresh().catch((error) => {
      this.connection = null
      throw error
    })
    return this.connection
  }
}

class Slot implements StateSlot {
  private readonly database: IDBDatabase
  private readonly name: string
  private readonly key: CryptoKey
  private readonly wallClock: () => number
  private readonly release: () => void
  private tail: Promise<unknown> = Promise.resolve()

  constructor(
    database: IDBDatabase,
    name: string,
    key: CryptoKey,
    wallClock: () => number,
    release: () => void,
  ) {
    this.database = database
    this.name = name
    this.key = key
    this.wallClock = wallClock
    this.release = release
  }

  take(): Promise<Uint8Array | null> {
    return this.inOrder(async () => {
      const transaction = this.database.transaction(STATES, 'readwrite')
      const states = transaction.objectStore(STATES)
      const sealed = (await settled(states.get(this.name))) as Sealed | undefined
      states.delete(this.name)
      // Not before the deletion is on disk may anybody use the state.
      await committed(transaction)
      return sealed === undefined ? null : this.unseal(sealed)
    })
  }

  save(bytes: Uint8Array): Promise<void> {
    return this.inOrder(async () => {
      const sealed = await this.seal(new Uint8Array(bytes))
      const transaction = this.database.transaction(STATES, 'readwrite')
      transaction.objectStore(STATES).put(sealed, this.name)
      await committed(transaction)
    })
  }

  clear(): Promise<void> {
    return this.inOrder(async () => {
      const transaction = this.database.transaction(STATES, 'readwrite')
      transaction.objectStore(STATES).delete(this.name)
      await committed(transaction)
    })
  }

  /** The lease ends when what was begun is done. */
  close(): void {
    void this.tail.then(this.release, this.release)
  }

  private inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.tail.then(work, work)
    this.tail = done.catch(() => {})
    return done
  }

  private async seal(plaintext: Uint8Array<ArrayBuffer>): Promise<Sealed> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const ciphertext = await crypto.subtle.encrypt(this.algorithm(nonce), this.key, plaintext)
    plaintext.fill(0)
    return { nonce, ciphertext, savedAt: this.wallClock() }
  }

  private async unseal({ nonce, ciphertext }: Sealed): Promise<Uint8Array | null> {
    try {
      const plaintext = await crypto.subtle.decrypt(this.algorithm(nonce), this.key, ciphertext)
      return new Uint8Array(plaintext)
    } catch {
      return null
    }
  }

  /** A state is good for its own slot only. */
  private algorithm(iv: Uint8Array<ArrayBuffer>): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: utf8.encode(this.name) }
  }
}

/** The returned function ends the lease. */
function lease(name: string): Promise<(() => void) | null> {
  const { locks } = navigator
  if (locks === undefined) return Promise.resolve(null)
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock !== null) return new Promise((release) => resolve(release))
      resolve(null)
      return undefined
    }
    locks.request(name, { ifAvailable: true }, held).catch(reject)
  })
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STATES)
    request.result.createObjectStore(KEYS)
  }
  return settled(request).then((database) => {
    // Another page deletes everything: it must not wait for this one.
    database.onversionchange = () => database.close()
    return database
  })
}

async function forgetBefore(database: IDBDatabase, time: number): Promise<void> {
  const transaction = database.transaction(STATES, 'readwrite')
  const cursors = transaction.objectStore(STATES).openCursor()
  cursors.onsuccess = () => {
    const cursor = cursors.result
    if (cursor === null) return
    if ((cursor.value as Sealed).savedAt < time) cursor.delete()
    cursor.continue()
  }
  await committed(transaction)
}

/** Made once for all slots; where another page was first, its key is taken. */
async function keyOf(database: IDBDatabase): Promise<CryptoKey> {
  const known = await readKey(database)
  if (known !== undefined) return known
  const algorithm = { name: 'AES-GCM', length: 256 }
  const made = await crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])
  const transaction = database.transaction(KEYS, 'readwrite')
  const keys = transaction.objectStore(KEYS)
  const stored = (await settled(keys.get(KEY_NAME))) as CryptoKey | undefined
  if (stored === undefined) keys.put(made, KEY_NAME)
  await committed(transaction)
  return stored ?? made
}

function readKey(database: IDBDatabase): Promise<CryptoKey | undefined> {
  return settled(database.transaction(KEYS).objectStore(KEYS).get(KEY_NAME))
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
    transaction.onerror = () => reject(transaction.error)
  })
}
