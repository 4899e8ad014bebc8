/**
 * Keeps the relay's certificate fresh while the relay runs: asks its source from time to time, tells
 * who serves with it when it changed, and tells the operator when something is wrong. A bad new
 * file never takes a good certificate away.
 */

import { readFile } from 'node:fs/promises'
import { type Certificate, CertificateError } from './certificate.ts'
import { type CertificateSource, type FilePaths, FileSource, SelfMadeSource } from './source.ts'

export interface KeeperOptions {
  /** Host names and addresses that a certificate made here is for, besides localhost. */
  readonly names: readonly string[]
  /** PEM files to serve with instead, or null for a certificate made here. */
  readonly files: FilePaths | null
  /** ms since 1970. */
  readonly now: () => number
  /** A sentence for the operator, once each. */
  readonly onProblem: (message: string) => void
  /** Time between two looks, ms; a minute unless told. */
  readonly interval?: number
}

type RotateListener = (current: Certificate) => void

export class CertificateKeeper {
  readonly #source: CertificateSource
  readonly #now: () => number
  readonly #onProblem: (message: string) => void
  readonly #listeners = new Set<RotateListener>()
  readonly #timer: NodeJS.Timeout
  #lastProblem: string | null = null
  #checking: Promise<boolean> | null = null

  private constructor(source: CertificateSource, options: KeeperOptions) {
    this.#source = source
    this.#now = options.now
    this.#onProblem = options.onProblem
    this.#timer = setInterval(() => void this.check(), options.interval ?? 60_000)
    this.#timer.unref()
    this.#tell(source.concern(options.now()))
  }

  /**
   * Makes or reads the first certificate.
   * @throws CertificateError
   */
  static async open(options: KeeperOptions): Promise<CertificateKeeper> {
    const { files, names, now } = options
    const source =
      files === null
        ? await SelfMadeSource.create(names, now())
        : await FileSource.open(files, (path) => readFile(path, 'utf8'), now())
    return new CertificateKeeper(source, options)
  }

  get current(): Certificate {
    return this.#source.current
  }

  /**
   * Hashes (SHA-256, hex) that browsers must be told, the current one first; empty where they
   * trust the certificate by its authority.
   */
  hashes(): string[] {
    return this.#source.hashes(this.#now())
  }

  /** Calls `listener` with each new certificate. Returns how to stop that. */
  onRotate(listener: RotateListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Looks for a new certificate now, as on SIGHUP. Never rejects; problems go to `onProblem`.
   * @returns whether the certificate changed
   */
  check(): Promise<boolean> {
    this.#checking ??= this.#refresh().finally(() => {
      this.#checking = null
    })
    return this.#checking
  }

  /** Stops looking. */
  close(): void {
    clearInterval(this.#timer)
    this.#listeners.clear()
  }

  async #refresh(): Promise<boolean> {
    try {
      const changed = await this.#source.refresh(this.#now())
      if (changed) this.#announce()
      this.#tell(this.#source.concern(this.#now()))
      return changed
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const kept = 'the certificate in use stays'
      this.#tell(error instanceof CertificateError ? `${reason}; ${kept}` : `${kept}: ${reason}`)
      return false
    }
  }

  #announce(): void {
    for (const listener of this.#listeners) {
      try {
        listener(this.current)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#onProblem(`a new certificate was not taken everywhere: ${reason}`)
      }
    }
  }

  #tell(problem: string | null): void {
    if (problem !== null && problem !== this.#lastProblem) this.#onProblem(problem)
    this.#lastProblem = problem
  }
}
