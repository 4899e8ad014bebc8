/** Message parameters of draft-18 (section 10.2) and the messages that may carry them. */

import { ProtocolError } from '../errors.ts'
import type { Location } from '../location.ts'
import type { MessageType } from '../messages.ts'
import { readNamespace, writeNamespace } from '../names.ts'
import type { ParameterDefinition } from '../parameter-table.ts'
import {
  type AuthorizationToken,
  decodeAuthorizationToken,
  encodeAuthorizationToken,
  type SubscriptionFilter,
} from '../parameters.ts'
import { Reader } from '../reader.ts'
import { Writer } from '../writer.ts'

const SUBSCRIPTION = ['SUBSCRIBE', 'REQUEST_UPDATE', 'REQUEST_OK'] as const

function varint<
  K extends
    | 'objectDeliveryTimeout'
    | 'rendezvousTimeout'
    | 'subgroupDeliveryTimeout'
    | 'expires'
    | 'fillTimeout'
    | 'newGroupRequest',
>(type: number, key: K, scope: readonly MessageType[]): ParameterDefinition {
  return {
    key,
    type,
    scope,
    write: (writer, parameters) => writer.vi64(parameters[key]!),
    read: (reader, into) => {
      into[key] = reader.vi64(key)
    },
  }
}

/** In ascending order of type. REQUEST_OK stands for every alias of it that may carry the parameter. */
export const PARAMETERS: readonly ParameterDefinition[] = [
  varint(0x02, 'objectDeliveryTimeout', SUBSCRIPTION),
  {
    key: 'authorizationTokens',
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
    count: ({ authorizationTokens }) => authorizationTokens!.length,
    write: (writer, { authorizationTokens }, index) =>
      writer.lengthPrefixed(encodeAuthorizationToken(authorizationTokens![index]!)),
    read: (reader, into) => {
      const token = decodeAuthorizationToken(reader.lengthPrefixed())
      // In place: a hostile message may hold thousands.
      if (into.authorizationTokens) (into.authorizationTokens as AuthorizationToken[]).push(token)
      else into.authorizationTokens = [token]
    },
  },
  varint(0x04, 'rendezvousTimeout', ['SUBSCRIBE']),
  varint(0x06, 'subgroupDeliveryTimeout', SUBSCRIPTION),
  varint(0x08, 'expires', ['SUBSCRIBE_OK', 'PUBLISH', 'REQUEST_OK']),
  {
    key: 'largestObject',
    type: 0x09,
    scope: ['SUBSCRIBE_OK', 'PUBLISH', 'REQUEST_OK'],
    write: (writer, { largestObject }) =>
      writer.vi64(largestObject!.group).vi64(largestObject!.object),
    read: (reader, into) => {
      into.largestObject = readLocation(reader)
    },
  },
  varint(0x0a, 'fillTimeout', ['FETCH']),
  {
    key: 'forward',
    type: 0x10,
    scope: ['SUBSCRIBE', 'REQUEST_UPDATE', 'PUBLISH', 'REQUEST_OK', 'SUBSCRIBE_TRACKS'],
    write: (writer, { forward }) => writer.uint8(forward ? 1 : 0),
    read: (reader, into) => {
      const value = reader.uint8()
      if (value > 1) throw new ProtocolError(`FORWARD ${value}, not 0 or 1`)
      into.forward = value === 1
    },
  },
  {
    key: 'subscriberPriority',
    type: 0x20,
    scope: ['SUBSCRIBE', 'FETCH', 'REQUEST_UPDATE', 'REQUEST_OK'],
    write: (writer, { subscriberPriority }) => writer.uint8(subscriberPriority!),
    read: (reader, into) => {
      into.subscriberPriority = reader.uint8()
    },
  },
  {
    key: 'filter',
    type: 0x21,
    scope: SUBSCRIPTION,
    write: (writer, { filter }) => writer.lengthPrefixed(encodeFilter(filter!)),
    read: (reader, into) => {
      into.filter = decodeFilter(reader.lengthPrefixed())
    },
  },
  {
    key: 'groupOrder',
    type: 0x22,
    scope: ['SUBSCRIBE', 'REQUEST_OK', 'FETCH'],
    write: (writer, { groupOrder }) => writer.uint8(groupOrder === 'ascending' ? 1 : 2),
    read: (reader, into) => {
      const value = reader.uint8()
      if (value !== 1 && value !== 2) throw new ProtocolError(`GROUP_ORDER ${value}, not 1 or 2`)
      into.groupOrder = value === 1 ? 'ascending' : 'descending'
    },
  },
  varint(0x32, 'newGroupRequest', SUBSCRIPTION),
  {
    key: 'namespacePrefix',
    type: 0x34,
    scope: ['REQUEST_UPDATE'],
    write: (writer, { namespacePrefix }) => writeNamespace(writer, namespacePrefix!),
    read: (reader, into) => {
      into.namespacePrefix = readNamespace(reader)
    },
  },
]

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
