/**
 * Keeps the issuer's keys fresh while the relay runs: reads the file or asks the URL again from time
 * to time, and early when a token names a key that is not known. Bad news never takes good keys away
 * and is told to the operator; a key that its issuer removed is gone with the next look.
 */

import { open } from 'node:fs/promises'
import type { Clock } from '../../moq/session/index.ts'
import { describeFileError } from '../operate/file-error.ts'
import {
  type Algorithm,
  findKey,
  JwksError,
  type KeySet,
  MAX_JWKS_BYTES,
  parseJwks,
  type VerificationKey,
} from './jwks.ts'

export type JwksLocation =
  | { readonly kind: 'jwks-file'; readonly path: string }
  | { readonly kind: 'jwks-url'; readonly url: string }

export interface JwksKeeperOptions {
  readonly location: JwksLocation
  readonly clock: Clock
  /** A sentence for the operator, once each. */
  readonly onProblem: (sentence: string) => void
  /** Time between two looks, ms; 5 s for a file and 5 min for a URL unless told. */
  readonly refreshMs?: number
  readonly fetch?: typeof globalThis.fetch
}

const FILE_REFRESH_MS = 5_000
const URL_REFRESH_MS = 300_000
/** Shortest time between two looks that tokens with an unknown key may cause. */
const EARLY_REFRESH_MS = 10_000
const FETCH_TIMEOUT_MS = 5_000

export class JwksKeeper {
  readonly #options: JwksKeeperOptions
  readonly #origin: string
  readonly #listeners = new Set<() => void>()
  #keys: KeySet
  #text: string
  #checkedAt: number
  #lastProblem: string | null = null
  #checking: Promise<boolean> | null = null
  #cancelTimer: () => void = () => {}
  #closed = false

  private constructor(options: JwksKeeperOptions, text: string, keys: KeySet) {
    this.#options = options
    this.#origin = originOf(options.location)
    this.#text = text
    this.#keys = keys
    this.#checkedAt = options.clock.now()
    this.#schedule()
  }

  /** @throws JwksError */
  static async open(options: JwksKeeperOptions): Promise<JwksKeeper> {
    const text = await readText(options)
    const keys = await parseJwks(text, originOf(options.location))
    return new JwksKeeper(options, text, keys)
  }

  get keys(): KeySet {
    return this.#keys
  }

  /** The key for a token's header; looks for a new JWKS first when it is not known. */
  async find(algorithm: Algorithm, keyId: string | undefined): Promise<VerificationKey | null> {
    const known = findKey(this.#keys, algorithm, keyId)
    if (known || keyId === undefined) return known
    if (!this.#checking && this.#options.clock.now() - this.#checkedAt < EARLY_REFRESH_MS) {
      return null
    }
    await this.check()
    return findKey(this.#keys, algorithm, keyId)
  }

  /** Whether the issuer still lists the key. */
  holds(thumbprint: string): boolean {
    return this.#keys.some((key) => key.thumbprint === thumbprint)
  }

  /** Calls `listener` after each change, so that running sessions are looked at again. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Looks for a new JWKS now, as on SIGHUP. Never rejects; problems go to `onProblem`.
   * @returns whether the keys changed
   */
  check(): Promise<boolean> {
    this.#checking ??= this.#refresh().finally(() => {
      this.#checking = null
      this.#schedule()
    })
    return this.#checking
  }

  /** Stops looking. */
  close(): void {
    this.#closed = true
    this.#cancelTimer()
    this.#listeners.clear()
  }

  async #refresh(): Promise<boolean> {
    this.#checkedAt = this.#options.clock.now()
    try {
      const text = await readText(this.#options)
      const changed = text !== this.#text
      if (changed) this.#keys = await parseJwks(text, this.#origin)
      this.#text = text
      this.#lastProblem = null
      if (changed) for (const listener of this.#listeners) listener()
      return changed
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#tell(`${reason}; the keys in use stay`)
      return false
    }
  }

  #tell(problem: string): void {
    if (problem !== this.#lastProblem) this.#options.onProblem(problem)
    this.#lastProblem = problem
  }

  #schedule(): void {
    this.#cancelTimer()
    if (this.#closed) return
    const { location, clock, refreshMs } = this.#options
    const usual = location.kind === 'jwks-file' ? FILE_REFRESH_MS : URL_REFRESH_MS
    this.#cancelTimer = clock.after(refreshMs ?? usual, () => void this.check())
  }
}

/** Without user, password or query, which may be secrets. */
function originOf(location: JwksLocation): string {
  if (location.kind === 'jwks-file') return location.path
  const { origin, pathname } = new URL(location.url)
  return `${origin}${pathname}`
}

async function readText(options: JwksKeeperOptions): Promise<string> {
  const { location } = options
  if (location.kind === 'jwks-file') return readFileText(location.path)
  return fetchText(location, options.fetch ?? globalThis.fetch)
}

async function readFileText(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > MAX_JWKS_BYTES) throw tooLarge(path)
    return await file.readFile('utf8')
  } catch (error) {
    if (error instanceof JwksError) throw error
    throw new JwksError(`cannot read ${path}: ${describeFileError(error)}`)
  }
}

async function fetchText(
  location: JwksLocation & { kind: 'jwks-url' },
  fetch: typeof globalThis.fetch,
): Promise<string> {
  const origin = originOf(location)
  let response: Response
  try {
    response = await fetch(location.url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      // A redirect could lead from https to http or to a stranger.
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    })
    if (!response.ok) throw new JwksError(`${origin} answers with status ${response.status}`)
    return await boundedText(response, origin)
  } catch (error) {
    if (error instanceof JwksError) throw error
    throw new JwksError(`cannot fetch ${origin}: ${describeFetchError(error)}`)
  }
}

async function boundedText(response: Response, origin: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_JWKS_BYTES) throw tooLarge(origin)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function tooLarge(origin: string): JwksError {
  return new JwksError(`${origin} is larger than ${MAX_JWKS_BYTES} bytes, too large for a JWKS`)
}

function describeFetchError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${FETCH_TIMEOUT_MS} ms`
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}
