/** The two files of `sotto token keys`: the secret signing key, and the JWKS for the relay. */

import { lstat, mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { describeFileError } from '../operate/file-error.ts'
import type { Algorithm } from './jwks.ts'
import { jwksOf, type SigningKey } from './make-token.ts'

/** A key file cannot be read or written. The message is one line for a person. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
}

export interface KeyFiles {
  readonly signingKey: string
  readonly jwks: string
}

/**
 * Writes both files; the secret one for its owner only. Overwrites nothing.
 * @throws KeyFileError
 */
export async function writeKeyFiles(folder: string, key: SigningKey): Promise<KeyFiles> {
  const files = { signingKey: join(folder, 'signing-key.json'), jwks: join(folder, 'jwks.json') }
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw new KeyFileError(`cannot make the folder ${folder}: ${describeFileError(error)}`)
  }
  for (const path of [files.signingKey, files.jwks]) if (await exists(path)) throw taken(path)
  await writeNew(files.signingKey, key.privateJwk, 0o600)
  await writeNew(files.jwks, jwksOf(key), 0o644)
  return files
}

/**
 * @returns the key, and a warning where others may read its file
 * @throws KeyFileError
 */
export async function readSigningKey(
  path: string,
): Promise<{ readonly key: Omit<SigningKey, 'publicJwk'>; readonly warning: string | null }> {
  let text: string
  let mode: number
  try {
    text = await readFile(path, 'utf8')
    mode = (await stat(path)).mode
  } catch (error) {
    throw new KeyFileError(`cannot read ${path}: ${describeFileError(error)}`)
  }
  const key = await parseSigningKey(text, path)
  const open = process.platform !== 'win32' && (mode & 0o077) !== 0
  return { key, warning: open ? `others can read ${path}: chmod 600 ${path}` : null }
}

async function parseSigningKey(text: string, path: string): Promise<Omit<SigningKey, 'publicJwk'>> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new KeyFileError(`${path} is not JSON`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new KeyFileError(`${path} is not a JSON Web Key`)
  }
  const jwk: JWK = json
  const algorithm = algorithmOf(jwk)
  if (algorithm === null) {
    throw new KeyFileError(`${path} is not a key for EdDSA (Ed25519) or ES256 (P-256)`)
  }
  if (typeof jwk.d !== 'string') {
    throw new KeyFileError(`${path} is a public key: signing needs signing-key.json`)
  }
  try {
    return { algorithm, keyId: jwk.kid ?? (await calculateJwkThumbprint(jwk)), privateJwk: jwk }
  } catch {
    throw new KeyFileError(`${path} is not a whole key`)
  }
}

function algorithmOf({ kty, crv }: JWK): Algorithm | null {
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  return kty === 'EC' && crv === 'P-256' ? 'ES256' : null
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch {
    return false
  }
}

async function writeNew(path: string, value: unknown, mode: number): Promise<void> {
  try {
    await using file = await open(path, 'wx', mode)
    await file.writeFile(`${JSON.stringify(value, null, 2)}\n`)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw taken(path)
    throw new KeyFileError(`cannot write ${path}: ${describeFileError(error)}`)
  }
}

function taken(path: string): KeyFileError {
  return new KeyFileError(
    `${path} exists already, and keys are never overwritten: choose another folder`,
  )
}
