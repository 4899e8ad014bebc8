/**
 * Message parameters (draft-18 section 10.2): typed fields, serialized in ascending order of type.
 * An unknown parameter, one out of its scope or one repeated without leave ends the session.
 */

import { SessionCode } from './codes.ts'
import { ProtocolError } from './errors.ts'
import type { Location } from './location.ts'
import { type Namespace, readNamespace, writeNamespace } from './names.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** Section 5.1.2. */
export type SubscriptionFilter =
  | { readonly kind: 'largest-object' }
  | { readonly kind: 'next-group-start' }
  | { readonly kind: 'absolute-start'; readonly start: Location }
  | { readonly kind: 'absolute-range'; readonly start: Location; readonly endGroup: number }

/** Section 10.2.2. */
export type AuthorizationToken =
  | { readonly kind: 'delete'; readonly alias: number }
  | {
      readonly kind: 'register'
      readonly alias: number
      readonly type: number
      readonly value: Uint8Array
    }
  | { readonly kind: 'use-alias'; readonly alias: number }
  | { readonly kind: 'use-value'; readonly type: number; readonly value: Uint8Array }

export type GroupOrder = 'ascending' | 'descending'

/** Times in ms. A missing field means that the parameter is not in the message. */
export interface Parameters {
  readonly objectDeliveryTimeout?: number
  readonly authorizationTokens?: readonly AuthorizationToken[]
  readonly rendezvousTimeout?: number
  readonly subgroupDeliveryTimeout?: number
  readonly expires?: number
  readonly largestObject?: Location
  readonly fillTimeout?: number
  readonly forward?: boolean
  readonly subscriberPriority?: number
  readonly filter?: SubscriptionFilter
  readonly groupOrder?: GroupOrder
  readonly newGroupRequest?: number
  readonly namespacePrefix?: Namespace
}

const SUBSCRIPTION = ['SUBSCRIBE', 'REQUEST_UPDATE', 'REQUEST_OK'] as const

interface Definition {
  readonly type: number
  /** Names of the messages that may carry it. */
  readonly scope: readonly string[]
  write(writer: Writer, parameters: Parameters): void
  read(reader: Reader, into: { -readonly [K in keyof Parameters]: Parameters[K] }): void
}

function varint<
  K extends
    | 'objectDeliveryTimeout'
    | 'rendezvousTimeout'
    | 'subgroupDeliveryTimeout'
    | 'expires'
    | 'fillTimeout'
    | 'newGroupRequest',
>(type: number, key: K, scope: readonly string[]): [keyof Parameters, Definition] {
  return [
    key,
    {
      type,
      scope,
      write: (writer, parameters) => writer.vi64(parameters[key]!),
      read: (reader, into) => {
        into[key] = reader.vi64(key)
      },
    },
  ]
}

/** In ascending order of type. REQUEST_OK stands for every alias of it that may carry the parameter. */
const DEFINITIONS: readonly [keyof Parameters, Definition][] = [
  varint(0x02, 'objectDeliveryTimeout', SUBSCRIPTION),
  [
    'authorizationTokens',
    {
      type: 0x03,
      scope: [
        'PUBLISH',
        'SUBSCRIBE',
        'REQUEST_UPDATE',
        'SUBSCRIBE_NAMESPACE',
        'SUBSCRIBE_TRACKS',
        'PUBLISH_NAMESPACE',
        'TRACK_STATUS',
        'FETCH',
      ],
      // Written once a token by `writeParameters`.
      write: () => {},
      read: (reader, into) => {
        const token = decodeAuthorizationToken(reader.lengthPrefixed())
        into.authorizationTokens = [...(into.authorizationTokens ?? []), token]
      },
    },
  ],
  varint(0x04, 'rendezvousTimeout', ['SUBSCRIBE']),
  varint(0x06, 'subgroupDeliveryTimeout', SUBSCRIPTION),
  varint(0x08, 'expires', ['SUBSCRIBE_OK', 'PUBLISH', 'REQUEST_OK']),
  [
    'largestObject',
    {
      type: 0x09,
      scope: ['SUBSCRIBE_OK', 'PUBLISH', 'REQUEST_OK'],
      write: (writer, { largestObject }) =>
        writer.vi64(largestObject!.group).vi64(largestObject!.object),
      read: (reader, into) => {
        into.largestObject = readLocation(reader)
      },
    },
  ],
  varint(0x0a, 'fillTimeout', ['FETCH']),
  [
    'forward',
    {
      type: 0x10,
      scope: ['SUBSCRIBE', 'REQUEST_UPDATE', 'PUBLISH', 'REQUEST_OK', 'SUBSCRIBE_TRACKS'],
      write: (writer, { forward }) => writer.uint8(forward ? 1 : 0),
      read: (reader, into) => {
        const value = reader.uint8()
        if (value > 1) throw new ProtocolError(`FORWARD ${value}, not 0 or 1`)
        into.forward = value === 1
      },
    },
  ],
  [
    'subscriberPriority',
    {
      type: 0x20,
      scope: ['SUBSCRIBE', 'FETCH', 'REQUEST_UPDATE', 'REQUEST_OK'],
      write: (writer, { subscriberPriority }) => writer.uint8(subscriberPriority!),
      read: (reader, into) => {
        into.subscriberPriority = reader.uint8()
      },
    },
  ],
  [
    'filter',
    {
      type: 0x21,
      scope: SUBSCRIPTION,
      write: (writer, { filter }) => writer.lengthPrefixed(encodeFilter(filter!)),
      read: (reader, into) => {
        into.filter = decodeFilter(reader.lengthPrefixed())
      },
    },
  ],
  [
    'groupOrder',
    {
      type: 0x22,
      scope: ['SUBSCRIBE', 'REQUEST_OK', 'FETCH'],
      write: (writer, { groupOrder }) => writer.uint8(groupOrder === 'ascending' ? 1 : 2),
      read: (reader, into) => {
        const value = reader.uint8()
        if (value !== 1 && value !== 2) throw new ProtocolError(`GROUP_ORDER ${value}, not 1 or 2`)
        into.groupOrder = value === 1 ? 'ascending' : 'descending'
      },
    },
  ],
  varint(0x32, 'newGroupRequest', SUBSCRIPTION),
  [
    'namespacePrefix',
    {
      type: 0x34,
      scope: ['REQUEST_UPDATE'],
      write: (writer, { namespacePrefix }) => writeNamespace(writer, namespacePrefix!),
      read: (reader, into) => {
        into.namespacePrefix = readNamespace(reader)
      },
    },
  ],
]

const BY_TYPE = new Map(DEFINITIONS.map(([, definition]) => [definition.type, definition]))

/** Number of parameters, then each with its type as a delta. */
export function writeParameters(writer: Writer, parameters: Parameters): void {
  const present = DEFINITIONS.filter(([key]) => parameters[key] !== undefined)
  const tokens = parameters.authorizationTokens ?? []
  const count = present.length + (parameters.authorizationTokens ? tokens.length - 1 : 0)
  writer.vi64(count)
  let previous = 0
  for (const [key, definition] of present) {
    if (key === 'authorizationTokens') {
      for (const token of tokens) {
        writer.vi64(definition.type - previous)
        writer.lengthPrefixed(encodeAuthorizationToken(token))
        previous = definition.type
      }
      continue
    }
    writer.vi64(definition.type - previous)
    definition.write(writer, parameters)
    previous = definition.type
  }
}

/**
 * @throws ProtocolError for an unknown, misplaced or repeated parameter, and for a value outside its
 * range
 */
export function readParameters(reader: Reader, message: string): Parameters {
  const count = reader.vi64('parameter count')
  const into: { -readonly [K in keyof Parameters]: Parameters[K] } = {}
  let type = 0
  for (let i = 0; i < count; i++) {
    const delta = reader.vi64('parameter type')
    type += delta
    const definition = BY_TYPE.get(type)
    if (!definition) throw new ProtocolError(`unknown parameter 0x${type.toString(16)}`)
    if (!definition.scope.includes(message)) {
      throw new ProtocolError(`parameter 0x${type.toString(16)} is not allowed in ${message}`)
    }
    if (i > 0 && delta === 0 && type !== 0x03) {
      throw new ProtocolError(`parameter 0x${type.toString(16)} stands twice in ${message}`)
    }
    definition.read(reader, into)
  }
  return into
}

function readLocation(reader: Reader): Location {
  return { group: reader.vi64('group'), object: reader.vi64('object') }
}

function encodeFilter(filter: SubscriptionFilter): Uint8Array {
  const writer = new Writer(24)
  switch (filter.kind) {
    case 'next-group-start':
      return writer.vi64(0x1).finish()
    case 'largest-object':
      return writer.vi64(0x2).finish()
    case 'absolute-start':
      return writer.vi64(0x3).vi64(filter.start.group).vi64(filter.start.object).finish()
    case 'absolute-range':
      return writer
        .vi64(0x4)
        .vi64(filter.start.group)
        .vi64(filter.start.object)
        .vi64(filter.endGroup - filter.start.group)
        .finish()
  }
}

function decodeFilter(bytes: Uint8Array): SubscriptionFilter {
  const reader = new Reader(bytes)
  const filter = readFilter(reader)
  reader.end()
  return filter
}

function readFilter(reader: Reader): SubscriptionFilter {
  const kind = reader.vi64('filter type')
  switch (kind) {
    case 0x1:
      return { kind: 'next-group-start' }
    case 0x2:
      return { kind: 'largest-object' }
    case 0x3:
      return { kind: 'absolute-start', start: readLocation(reader) }
    case 0x4: {
      const start = readLocation(reader)
      const endGroup = start.group + reader.vi64('end group delta')
      if (!Number.isSafeInteger(endGroup)) throw new ProtocolError('filter ends above 2^53-1')
      return { kind: 'absolute-range', start, endGroup }
    }
    default:
      throw new ProtocolError(`unknown filter type ${kind}`)
  }
}

export function encodeAuthorizationToken(token: AuthorizationToken): Uint8Array {
  const writer = new Writer(32)
  switch (token.kind) {
    case 'delete':
      return writer.vi64(0x0).vi64(token.alias).finish()
    case 'register':
      return writer.vi64(0x1).vi64(token.alias).vi64(token.type).bytes(token.value).finish()
    case 'use-alias':
      return writer.vi64(0x2).vi64(token.alias).finish()
    case 'use-value':
      return writer.vi64(0x3).vi64(token.type).bytes(token.value).finish()
  }
}

/** @throws ProtocolError (KEY_VALUE_FORMATTING_ERROR) when the structure cannot be decoded */
export function decodeAuthorizationToken(bytes: Uint8Array): AuthorizationToken {
  const reader = new Reader(bytes)
  try {
    const token = readAuthorizationToken(reader)
    reader.end()
    return token
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ProtocolError(
      `authorization token: ${reason}`,
      SessionCode.KEY_VALUE_FORMATTING_ERROR,
    )
  }
}

function readAuthorizationToken(reader: Reader): AuthorizationToken {
  const kind = reader.vi64('alias type')
  switch (kind) {
    case 0x0:
      return { kind: 'delete', alias: reader.vi64('alias') }
    case 0x1:
      return {
        kind: 'register',
        alias: reader.vi64('alias'),
        type: reader.vi64('token type'),
        value: reader.rest(),
      }
    case 0x2:
      return { kind: 'use-alias', alias: reader.vi64('alias') }
    case 0x3:
      return { kind: 'use-value', type: reader.vi64('token type'), value: reader.rest() }
    default:
      throw new ProtocolError(`unknown alias type ${kind}`)
  }
}
