/**
 * Where certificates come from: made here and replaced before they expire, or read from two files
 * and read again when these change.
 */

import { describeFileError } from '../operate/file-error.ts'
import { type Certificate, CertificateError, date, day, readCertificate } from './certificate.ts'
import { makeSelfSigned } from './self-signed.ts'

export interface CertificateSource {
  readonly current: Certificate
  /**
   * SHA-256 of every certificate that a browser may meet, hex, the current one first; empty where
   * browsers trust the certificate by its authority.
   */
  hashes(now: number): string[]
  /**
   * Looks whether another certificate is due and takes it.
   * @returns whether `current` changed
   * @throws CertificateError if there is something new that cannot be used; `current` stays
   */
  refresh(now: number): Promise<boolean>
  /** A sentence for the operator if attention is needed, else null. */
  concern(now: number): string | null
}

/** Age in ms at which the successor is made and its hash told, while the elder still serves. */
const announceAge = 8 * day
/**
 * Age in ms at which the successor takes over. Between the two, a page that was loaded up to three
 * days ago still knows the hash that it will meet.
 */
const takeOverAge = 11 * day

/** Certificates made here, with an overlapping pair at each change. */
export class SelfMadeSource implements CertificateSource {
  current: Certificate
  readonly #names: readonly string[]
  #next: Certificate | null = null
  #previous: Certificate | null = null

  private constructor(names: readonly string[], first: Certificate) {
    this.#names = names
    this.current = first
  }

  static async create(names: readonly string[], now: number): Promise<SelfMadeSource> {
    return new SelfMadeSource(names, await makeSelfSigned(names, now))
  }

  hashes(now: number): string[] {
    // The previous one stays listed while it is valid: an engine may need a moment to change.
    const all = [this.current, this.#next, this.#previous]
    return all.flatMap((one) => (one !== null && one.notAfter > now ? [one.sha256] : []))
  }

  async refresh(now: number): Promise<boolean> {
    const age = now - this.current.notBefore
    // After a long sleep of the machine the successor may be too old as well.
    if (this.#next !== null && now - this.#next.notBefore >= takeOverAge) this.#next = null
    if (this.#next === null && age >= announceAge) {
      this.#next = await makeSelfSigned(this.#names, now)
    }
    if (this.#next === null || age < takeOverAge) return false
    this.#previous = this.current
    this.current = this.#next
    this.#next = null
    return true
  }

  concern(): string | null {
    return null
  }
}

/** Reads a file as text, or rejects with the error of the file system. */
export type ReadFile = (path: string) => Promise<string>

export interface FilePaths {
  readonly cert: string
  readonly key: string
}

/** A certificate and key in files that another program renews. */
export class FileSource implements CertificateSource {
  current: Certificate
  readonly #paths: FilePaths
  readonly #readFile: ReadFile

  private constructor(paths: FilePaths, readFile: ReadFile, first: Certificate) {
    this.#paths = paths
    this.#readFile = readFile
    this.current = first
  }

  /** @throws CertificateError */
  static async open(paths: FilePaths, readFile: ReadFile, now: number): Promise<FileSource> {
    const [cert, key] = await readPair(paths, readFile)
    return new FileSource(paths, readFile, readCertificate(cert, key, paths, now))
  }

  hashes(): string[] {
    return this.current.selfSigned && this.current.pinnable ? [this.current.sha256] : []
  }

  async refresh(now: number): Promise<boolean> {
    const [cert, key] = await readPair(this.#paths, this.#readFile)
    if (cert === this.current.cert && key === this.current.key) return false
    // The two files change one after the other: until both have, the pair does not match and the
    // elder certificate serves on.
    this.current = readCertificate(cert, key, this.#paths, now)
    return true
  }

  concern(now: number): string | null {
    const { notBefore, notAfter, selfSigned, pinnable } = this.current
    const path = this.#paths.cert
    if (now > notAfter) return `${path} expired on ${date(notAfter)}: renew it`
    if (notAfter - now < Math.min(7 * day, (notAfter - notBefore) / 4)) {
      return `${path} expires on ${date(notAfter)}: renew it`
    }
    if (selfSigned && !pinnable) {
      const rule = 'ECDSA P-256 and valid for at most 14 days'
      return `${path} is self-signed, which browsers refuse unless it is ${rule}`
    }
    return null
  }
}

async function readPair(paths: FilePaths, readFile: ReadFile): Promise<[string, string]> {
  return [await readOne(paths.cert, readFile), await readOne(paths.key, readFile)]
}

async function readOne(path: string, readFile: ReadFile): Promise<string> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new CertificateError(`cannot read ${path}: ${describeFileError(error)}`)
  }
}
