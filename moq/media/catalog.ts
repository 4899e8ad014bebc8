/**
 * The catalog of a participant: MSF's JSON (draft-ietf-moq-msf section 5) that says which tracks
 * there are and how to decode them, and two things of a call in fields of ours. Every catalog object
 * is independent and starts a group: a catalog is small, and a late joiner needs only the newest.
 */

import { MediaFormatError } from './errors.ts'

export const CATALOG_VERSION = 'draft-01'

/** Largest catalog that is read, bytes before encryption. */
export const MAX_CATALOG_BYTES = 65_536

/** Most tracks that a catalog may list. */
export const MAX_CATALOG_TRACKS = 64
const MAX_TEXT = 256
const MAX_CODECS = 32

/** What a participant says of itself and its tracks: the one object of its track `catalog`, encrypted. */
export interface Catalog {
  /** What the participant is called on screen; field `sotto-displayName`. */
  displayName: string
  /** Wall clock, ms since the Unix epoch. */
  generatedAt?: number
  /**
   * Video codecs that the participant can decode, by our names (`vp8`, `vp9`, `av1`, `h264`); field
   * `sotto-decodes`. Others choose by it what they send.
   */
  decodes?: string[]
  /** No track will ever be added or continued. */
  complete?: boolean
  tracks: CatalogTrack[]
}

/** One track in a catalog; the fields are MSF's, those of ours begin with `sotto-` on the wire. */
export interface CatalogTrack {
  /** Track name, unique in the catalog. */
  name: string
  /** `video`, `audio`, or a role of MSF's or the application's. */
  role?: string
  label?: string
  /** WebCodecs codec string; required for the roles `audio` and `video`. */
  codec?: string
  /** False once no object will be added. */
  live: boolean
  /** Pixels. */
  width?: number
  height?: number
  /** Frames a second. */
  framerate?: number
  /** Maximum, bits a second. */
  bitrate?: number
  /** Hz. */
  samplerate?: number
  channelConfig?: string
  /** Tracks of one number are alternatives: renditions of one source. */
  altGroup?: number
  /** Tracks of one number are played together. */
  renderGroup?: number
  /** Tracks that this one cannot be decoded without. */
  depends?: string[]
  temporalId?: number
  spatialId?: number
  encryptionScheme?: string
  /**
   * Temporal layers inside this one track; field `sotto-temporalLayers`. MSF's `temporalId` is for
   * layers that are tracks of their own.
   */
  temporalLayers?: number
  /** The participant is muted and sends nothing on purpose; field `sotto-muted`. */
  muted?: boolean
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws MediaFormatError for a catalog that `decodeCatalog` would refuse (checked here, once) */
export function encodeCatalog(catalog: Catalog): Uint8Array {
  const json = JSON.stringify({
    version: CATALOG_VERSION,
    generatedAt: catalog.generatedAt,
    isComplete: catalog.complete === true ? true : undefined,
    'sotto-displayName': catalog.displayName,
    'sotto-decodes': catalog.decodes,
    tracks: catalog.tracks.map(encodeTrack),
  })
  // MSF reserves the percent sign for variables that a receiver substitutes in the text.
  const bytes = utf8.encode(json.replaceAll('%', '\\u0025'))
  decodeCatalog(bytes)
  return bytes
}

function encodeTrack(track: CatalogTrack): Record<string, unknown> {
  const { live, temporalLayers, muted, ...fields } = track
  return {
    ...fields,
    packaging: 'loc',
    isLive: live,
    'sotto-temporalLayers': temporalLayers,
    'sotto-muted': muted,
  }
}

/**
 * Tracks of a packaging other than `loc` and unknown fields are left out.
 * @throws MediaFormatError for what is no catalog of a version we know, or breaks a bound
 */
export function decodeCatalog(bytes: Uint8Array): Catalog {
  if (bytes.length > MAX_CATALOG_BYTES) {
    throw new MediaFormatError(`catalog of ${bytes.length} bytes, at most ${MAX_CATALOG_BYTES}`)
  }
  const root = new Fields(parseJson(bytes), 'catalog')
  if (root.has('deltaUpdate')) throw new MediaFormatError('catalog delta updates are not supported')
  const version = root.text('version')
  if (version !== CATALOG_VERSION) {
    throw new MediaFormatError(`catalog version ${version ?? 'missing'}, not ${CATALOG_VERSION}`)
  }
  return dropAbsent({
    displayName: root.text('sotto-displayName') ?? '',
    generatedAt: root.number('generatedAt', 0, Number.MAX_SAFE_INTEGER),
    decodes: textsOf(root.list('sotto-decodes', MAX_CODECS), 'sotto-decodes'),
    complete: root.flag('isComplete'),
    tracks: decodeTracks(root.list('tracks', MAX_CATALOG_TRACKS)),
  })
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8.decode(bytes))
  } catch (error) {
    throw new MediaFormatError('catalog is not JSON in UTF-8', { cause: error })
  }
}

function decodeTracks(list: readonly unknown[] | undefined): CatalogTrack[] {
  if (list === undefined) throw new MediaFormatError('catalog without tracks')
  const tracks: CatalogTrack[] = []
  const names = new Set<string>()
  for (const item of list) {
    const fields = new Fields(item, 'catalog track')
    if (fields.text('packaging') !== 'loc') continue
    const track = decodeTrack(fields)
    if (names.has(track.name)) throw new MediaFormatError('catalog names a track twice')
    names.add(track.name)
    tracks.push(track)
  }
  return tracks
}

function decodeTrack(fields: Fields): CatalogTrack {
  const name = fields.text('name')
  if (!name) throw new MediaFormatError('catalog track without a name')
  const role = fields.text('role')
  const codec = fields.text('codec')
  if ((role === 'video' || role === 'audio') && !codec) {
    throw new MediaFormatError(`catalog ${role} track without a codec`)
  }
  return dropAbsent({
    name,
    role,
    label: fields.text('label'),
    codec,
    live: fields.flag('isLive') ?? false,
    width: fields.number('width', 1, 16_384),
    height: fields.number('height', 1, 16_384),
    framerate: fields.number('framerate', 0, 1000),
    bitrate: fields.number('bitrate', 0, 1e10),
    samplerate: fields.number('samplerate', 1, 768_000),
    channelConfig: fields.text('channelConfig'),
    altGroup: fields.number('altGroup', 0, 0xffff_ffff),
    renderGroup: fields.number('renderGroup', 0, 0xffff_ffff),
    depends: textsOf(fields.list('depends', MAX_CATALOG_TRACKS), 'depends'),
    temporalId: fields.number('temporalId', 0, 7),
    spatialId: fields.number('spatialId', 0, 255),
    encryptionScheme: fields.text('encryptionScheme'),
    temporalLayers: fields.number('sotto-temporalLayers', 1, 8),
    muted: fields.flag('sotto-muted'),
  })
}

function textsOf(list: readonly unknown[] | undefined, field: string): string[] | undefined {
  return list?.map((text) => checkText(text, field))
}

/** Typed, bounded access to the own fields of a JSON object from a peer. */
class Fields {
  private readonly object: Record<string, unknown>
  private readonly what: string

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MediaFormatError(`${what} is not a JSON object`)
    }
    this.object = value as Record<string, unknown>
    this.what = what
  }

  has(name: string): boolean {
    return Object.hasOwn(this.object, name)
  }

  text(name: string): string | undefined {
    return this.has(name) ? checkText(this.object[name], name) : undefined
  }

  number(name: string, min: number, max: number): number | undefined {
    if (!this.has(name)) return undefined
    const value = this.object[name]
    if (typeof value === 'number' && value >= min && value <= max) return value
    throw this.wrong(name, `a number from ${min} to ${max}`)
  }

  flag(name: string): boolean | undefined {
    if (!this.has(name)) return undefined
    const value = this.object[name]
    if (typeof value === 'boolean') return value
    throw this.wrong(name, 'true or false')
  }

  list(name: string, most: number): readonly unknown[] | undefined {
    if (!this.has(name)) return undefined
    const value = this.object[name]
    if (Array.isArray(value) && value.length <= most) return value
    throw this.wrong(name, `an array of at most ${most}`)
  }

  private wrong(name: string, wanted: string): MediaFormatError {
    return new MediaFormatError(`${this.what} field ${name} is not ${wanted}`)
  }
}

function checkText(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= MAX_TEXT && value.isWellFormed()) return value
  throw new MediaFormatError(`catalog field ${name} is not text of at most ${MAX_TEXT} characters`)
}

/** Leaves out fields that are undefined, so that a decoded catalog equals the encoded one. */
function dropAbsent<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T
}
