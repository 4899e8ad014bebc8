/**
 * What the page's address asks for, and whether it can be had. Nothing here throws: a value that
 * cannot be used becomes a sentence for the person, kept under the field that it belongs to.
 */

import type { JoinOptions, SuiteName } from '../index.ts'

type TransportChoice = NonNullable<JoinOptions['transport']>

/** What a person chooses before joining. */
export interface Settings {
  readonly room: string
  readonly name: string
  readonly audio: boolean
  readonly video: boolean
  readonly transport: TransportChoice
  readonly suite: SuiteName
  /** Admission token; null where the address has none. */
  readonly token: string | null
}

export type Problems = Partial<Record<keyof Settings, string>>

export interface Query {
  /** Usable, except where `problems` says otherwise. */
  readonly settings: Settings
  readonly problems: Problems
  /** Join without asking. Set only when there is no problem. */
  readonly autojoin: boolean
}

const MAX_ROOM_BYTES = 128
const MAX_NAME_CHARACTERS = 64
const TRANSPORTS = ['auto', 'webtransport', 'websocket'] as const
const SUITES = ['x-wing', 'classical', 'p256'] as const

/**
 * @param search of the address, with or without its question mark
 * @param hash of the address: a token there is not sent to the page's server
 */
export function parseQuery(search: string, hash = ''): Query {
  const given = new URLSearchParams(search)
  const autojoin = given.get('autojoin') === '1'
  const problems: Problems = {}
  const text = (field: 'room' | 'name', check: (value: string) => string | null): string => {
    const value = (given.get(field) ?? '').trim()
    // A form that nobody has filled in yet is not a mistake.
    const problem = given.has(field) || autojoin ? check(value) : null
    if (problem !== null) problems[field] = problem
    return value
  }
  const choice = <T extends string>(field: keyof Settings, known: readonly [T, ...T[]]): T => {
    const value = given.get(field) ?? known[0]
    const found = known.find((item) => item === value)
    if (found === undefined) problems[field] = unknownValue(field, value, known)
    return found ?? known[0]
  }
  const settings: Settings = {
    room: text('room', roomProblem),
    name: text('name', nameProblem),
    audio: choice('audio', ['1', '0']) === '1',
    video: choice('video', ['1', '0']) === '1',
    transport: choice('transport', TRANSPORTS),
    suite: choice('suite', SUITES),
    token: tokenIn(given) ?? tokenIn(new URLSearchParams(hash.replace(/^#/, ''))),
  }
  return { settings, problems, autojoin: autojoin && Object.keys(problems).length === 0 }
}

function tokenIn(given: URLSearchParams): string | null {
  return given.get('token')?.trim() || null
}

/** The token in what a person pasted: a link, or the token itself. Null for nothing. */
export function tokenFrom(pasted: string): string | null {
  const text = pasted.trim()
  if (!URL.canParse(text)) return text || null
  const { search, hash } = new URL(text)
  return parseQuery(search, hash).settings.token
}

/** The address without its token, which must not stay in the history; null when there is none. */
export function withoutToken(address: string): string | null {
  const url = new URL(address)
  const fragment = new URLSearchParams(url.hash.replace(/^#/, ''))
  if (!url.searchParams.has('token') && !fragment.has('token')) return null
  url.searchParams.delete('token')
  if (fragment.has('token')) {
    fragment.delete('token')
    url.hash = fragment.toString()
  }
  return url.href
}

/** Why a room cannot be called that, or null. */
export function roomProblem(room: string): string | null {
  if (room === '') return 'Enter the name of a room.'
  if (room.startsWith('.')) return 'The name of a room cannot start with a dot.'
  const bytes = new TextEncoder().encode(room).length
  if (bytes > MAX_ROOM_BYTES) {
    return `The name of a room has at most ${MAX_ROOM_BYTES} bytes; this one has ${bytes}.`
  }
  return null
}

/** Why a person cannot be called that here, or null. */
export function nameProblem(name: string): string | null {
  if (name === '') return 'Enter your name, so that the others know who you are.'
  const { length } = name
  if (length > MAX_NAME_CHARACTERS) {
    return `A name has at most ${MAX_NAME_CHARACTERS} characters; this one has ${length}.`
  }
  return null
}

/** The address to give to others: the room, and nothing about the person who gives it. */
export function inviteLink(page: string, room: string): string {
  const link = new URL(page)
  link.hash = ''
  link.search = `?${new URLSearchParams({ room })}`
  return link.href
}

function unknownValue(field: string, value: string, known: readonly string[]): string {
  const shown = value.length > 32 ? `${value.slice(0, 32)}…` : value
  return `The link asks for ${field}=${shown}, which can only be ${known.join(' or ')}.`
}
