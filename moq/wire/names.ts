/**
 * Track naming (draft-18 sections 1.5 and 2.4.1). Fields are bytes; `text`, the draft's safe form, is
 * bijective, so it serves as map key and in logs.
 */

import { ProtocolError } from './errors.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** A track namespace: a list of fields, each any bytes (draft-18 section 2.4.1). */
export type Namespace = readonly Uint8Array[]

/** A track's namespace and name: together what identifies it (draft-18 section 2.4.1). */
export interface FullTrackName {
  readonly namespace: Namespace
  readonly name: Uint8Array
}

const MAX_FIELDS = 32
const MAX_FULL_NAME_BYTES = 4096
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

/** A namespace from text fields, each encoded as UTF-8. */
export function namespaceOf(...fields: readonly string[]): Namespace {
  return fields.map((field) => utf8.encode(field))
}

/** A track by a name in text, encoded as UTF-8. */
export function trackOf(namespace: Namespace, name: string): FullTrackName {
  return { namespace, name: utf8.encode(name) }
}

/** A field or track name as text, or null when it is not UTF-8. */
export function textOf(field: Uint8Array): string | null {
  try {
    return fromUtf8.decode(field)
  } catch {
    return null
  }
}

/** `example.2enet-team2-project_x` */
export function formatNamespace(namespace: Namespace): string {
  return namespace.map(formatField).join('-')
}

/** `example.2enet-team2-project_x--report` */
export function formatTrack(track: FullTrackName): string {
  return `${formatNamespace(track.namespace)}--${formatField(track.name)}`
}

function formatField(field: Uint8Array): string {
  let text = ''
  for (const byte of field) text += isLiteral(byte) ? String.fromCharCode(byte) : escaped(byte)
  return text
}

function isLiteral(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x5f
  )
}

function escaped(byte: number): string {
  return `.${byte.toString(16).padStart(2, '0')}`
}

/** Whether every field of `prefix` stands at the head of `namespace`, byte for byte. */
export function hasPrefix(namespace: Namespace, prefix: Namespace): boolean {
  return (
    prefix.length <= namespace.length &&
    prefix.every((field, index) => sameBytes(field, namespace[index]!))
  )
}

export function sameTrack(a: FullTrackName, b: FullTrackName): boolean {
  return (
    a.namespace.length === b.namespace.length &&
    hasPrefix(a.namespace, b.namespace) &&
    sameBytes(a.name, b.name)
  )
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export function writeNamespace(writer: Writer, namespace: Namespace): void {
  writer.vi64(namespace.length)
  for (const field of namespace) writer.lengthPrefixed(field)
}

/** @throws ProtocolError for over 32 fields, an empty field or over 4096 bytes */
export function readNamespace(reader: Reader): Namespace {
  const count = reader.vi64('namespace field count')
  if (count > MAX_FIELDS) throw new ProtocolError(`namespace of ${count} fields, at most 32`)
  const namespace: Uint8Array[] = []
  let total = 0
  for (let i = 0; i < count; i++) {
    const field = reader.lengthPrefixed()
    if (field.length === 0) throw new ProtocolError('empty namespace field')
    total += field.length
    if (total > MAX_FULL_NAME_BYTES) throw new ProtocolError('namespace above 4096 bytes')
    namespace.push(field)
  }
  return namespace
}

export function writeFullTrackName(writer: Writer, track: FullTrackName): void {
  writeNamespace(writer, track.namespace)
  writer.lengthPrefixed(track.name)
}

export function readFullTrackName(reader: Reader): FullTrackName {
  const namespace = readNamespace(reader)
  const name = reader.lengthPrefixed()
  let total = name.length
  for (const field of namespace) total += field.length
  if (total > MAX_FULL_NAME_BYTES) throw new ProtocolError('full track name above 4096 bytes')
  return { namespace, name }
}
