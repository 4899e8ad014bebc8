/**
 * The payload of each control message, in the order of draft-18 section 10: what the drafts share. A
 * draft gives its own parameters, and its own body for a message that differs.
 */

import { RequestCode } from './codes.ts'
import { ProtocolError } from './errors.ts'
import type { Location } from './location.ts'
import type {
  ControlMessage,
  Fetch,
  FetchRange,
  MessageType,
  Redirect,
  RequestError,
} from './messages.ts'
import {
  readFullTrackName,
  readNamespace,
  textOf,
  writeFullTrackName,
  writeNamespace,
} from './names.ts'
import type { ParameterTable } from './parameter-table.ts'
import { readProperties, writeProperties } from './properties.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** Section 10, table of message types. */
export const MESSAGE_ID: Readonly<Record<MessageType, number>> = {
  SETUP: 0x2f00,
  GOAWAY: 0x10,
  SUBSCRIBE: 0x3,
  SUBSCRIBE_OK: 0x4,
  PUBLISH: 0x1d,
  PUBLISH_DONE: 0xb,
  FETCH: 0x16,
  FETCH_OK: 0x18,
  TRACK_STATUS: 0xd,
  PUBLISH_NAMESPACE: 0x6,
  SUBSCRIBE_NAMESPACE: 0x50,
  SUBSCRIBE_TRACKS: 0x51,
  NAMESPACE: 0x8,
  NAMESPACE_DONE: 0xe,
  PUBLISH_BLOCKED: 0xf,
  REQUEST_UPDATE: 0x2,
  REQUEST_OK: 0x7,
  REQUEST_ERROR: 0x5,
}

export interface Body<M extends ControlMessage> {
  write(writer: Writer, message: M): void
  read(reader: Reader, context: 'control' | 'request'): M
}

export type Bodies = { readonly [T in MessageType]: Body<Extract<ControlMessage, { type: T }>> }

/** Section 10.11: the publisher does not know how many streams it opened. */
const UNKNOWN_STREAM_COUNT = 2n ** 62n - 1n
export const MAX_URI_BYTES = 8192
const MAX_REASON_BYTES = 1024

export function bodiesWith(parameters: ParameterTable): Bodies {
  return {
    SETUP: {
      write: (writer, message) => writeProperties(writer, message.options),
      read: (reader) => ({ type: 'SETUP', options: readProperties(reader) }),
    },

    GOAWAY: {
      write(writer, message) {
        writeText(writer, message.newSessionUri)
        writer.vi64(message.timeout)
        if (message.requestId !== undefined) writer.vi64(message.requestId)
      },
      read(reader, context) {
        const newSessionUri = readText(reader, MAX_URI_BYTES, 'new session URI')
        const timeout = reader.vi64('timeout')
        if (context === 'request') return { type: 'GOAWAY', newSessionUri, timeout }
        return { type: 'GOAWAY', newSessionUri, timeout, requestId: reader.vi64('request id') }
      },
    },

    SUBSCRIBE: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeFullTrackName(writer, message.track)
        parameters.write(writer, message.parameters)
      },
      read: (reader) => ({
        type: 'SUBSCRIBE',
        requestId: reader.vi64('request id'),
        track: readFullTrackName(reader),
        parameters: parameters.read(reader, 'SUBSCRIBE'),
      }),
    },

    TRACK_STATUS: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeFullTrackName(writer, message.track)
        parameters.write(writer, message.parameters)
      },
      read: (reader) => ({
        type: 'TRACK_STATUS',
        requestId: reader.vi64('request id'),
        track: readFullTrackName(reader),
        parameters: parameters.read(reader, 'TRACK_STATUS'),
      }),
    },

    SUBSCRIBE_OK: {
      write(writer, message) {
        writer.vi64(message.trackAlias)
        parameters.write(writer, message.parameters)
        writeProperties(writer, message.properties)
      },
      read: (reader) => ({
        type: 'SUBSCRIBE_OK',
        trackAlias: reader.vi64('track alias'),
        parameters: parameters.read(reader, 'SUBSCRIBE_OK'),
        properties: readProperties(reader),
      }),
    },

    PUBLISH: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeFullTrackName(writer, message.track)
        writer.vi64(message.trackAlias)
        parameters.write(writer, message.parameters)
        writeProperties(writer, message.properties)
      },
      read: (reader) => ({
        type: 'PUBLISH',
        requestId: reader.vi64('request id'),
        track: readFullTrackName(reader),
        trackAlias: reader.vi64('track alias'),
        parameters: parameters.read(reader, 'PUBLISH'),
        properties: readProperties(reader),
      }),
    },

    PUBLISH_DONE: {
      write(writer, message) {
        writer.vi64(message.status).vi64(message.streamCount ?? UNKNOWN_STREAM_COUNT)
        writeReason(writer, message.reason)
      },
      read(reader) {
        const status = reader.vi64('status code')
        const count = reader.vi64Any()
        const streamCount = typeof count === 'number' ? count : null
        return { type: 'PUBLISH_DONE', status, streamCount, reason: readReason(reader) }
      },
    },

    FETCH: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeFetchRange(writer, message.range)
        parameters.write(writer, message.parameters)
      },
      read(reader): Fetch {
        const requestId = reader.vi64('request id')
        const range = readFetchRange(reader)
        return { type: 'FETCH', requestId, range, parameters: parameters.read(reader, 'FETCH') }
      },
    },

    FETCH_OK: {
      write(writer, message) {
        writer.uint8(message.endOfTrack ? 1 : 0)
        writeLocation(writer, message.end)
        parameters.write(writer, message.parameters)
        writeProperties(writer, message.properties)
      },
      read(reader) {
        const endOfTrack = reader.uint8()
        if (endOfTrack > 1) throw new ProtocolError(`End Of Track ${endOfTrack}, not 0 or 1`)
        return {
          type: 'FETCH_OK',
          endOfTrack: endOfTrack === 1,
          end: readLocation(reader),
          parameters: parameters.read(reader, 'FETCH_OK'),
          properties: readProperties(reader),
        }
      },
    },

    PUBLISH_NAMESPACE: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeNamespace(writer, message.namespace)
        parameters.write(writer, message.parameters)
      },
      read: (reader) => ({
        type: 'PUBLISH_NAMESPACE',
        requestId: reader.vi64('request id'),
        namespace: readNamespace(reader),
        parameters: parameters.read(reader, 'PUBLISH_NAMESPACE'),
      }),
    },

    SUBSCRIBE_NAMESPACE: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeNamespace(writer, message.prefix)
        parameters.write(writer, message.parameters)
      },
      read: (reader) => ({
        type: 'SUBSCRIBE_NAMESPACE',
        requestId: reader.vi64('request id'),
        prefix: readNamespace(reader),
        parameters: parameters.read(reader, 'SUBSCRIBE_NAMESPACE'),
      }),
    },

    SUBSCRIBE_TRACKS: {
      write(writer, message) {
        writer.vi64(message.requestId)
        writeNamespace(writer, message.prefix)
        parameters.write(writer, message.parameters)
      },
      read: (reader) => ({
        type: 'SUBSCRIBE_TRACKS',
        requestId: reader.vi64('request id'),
        prefix: readNamespace(reader),
        parameters: parameters.read(reader, 'SUBSCRIBE_TRACKS'),
      }),
    },

    NAMESPACE: {
      write: (writer, message) => writeNamespace(writer, message.suffix),
      read: (reader) => ({ type: 'NAMESPACE', suffix: readNamespace(reader) }),
    },

    NAMESPACE_DONE: {
      write: (writer, message) => writeNamespace(writer, message.suffix),
      read: (reader) => ({ type: 'NAMESPACE_DONE', suffix: readNamespace(reader) }),
    },

    PUBLISH_BLOCKED: {
      write: (writer, message) => writeFullTrackName(writer, message.track),
      read: (reader) => ({ type: 'PUBLISH_BLOCKED', track: readFullTrackName(reader) }),
    },

    REQUEST_UPDATE: {
      write(writer, message) {
        writer.vi64(message.requestId)
        parameters.write(writer, message.parameters)
      },
      read: (reader) => ({
        type: 'REQUEST_UPDATE',
        requestId: reader.vi64('request id'),
        parameters: parameters.read(reader, 'REQUEST_UPDATE'),
      }),
    },

    REQUEST_OK: {
      write(writer, message) {
        parameters.write(writer, message.parameters)
        writeProperties(writer, message.properties)
      },
      read: (reader) => ({
        type: 'REQUEST_OK',
        parameters: parameters.read(reader, 'REQUEST_OK'),
        properties: readProperties(reader),
      }),
    },

    REQUEST_ERROR: {
      write(writer, message) {
        const { code, retryAfterMs, reason, redirect } = message
        writer.vi64(code).vi64(retryAfterMs === null ? 0 : retryAfterMs + 1)
        writeReason(writer, reason)
        if (code === RequestCode.REDIRECT && redirect) {
          writeText(writer, redirect.connectUri)
          writeFullTrackName(writer, redirect.track)
        }
      },
      read(reader): RequestError {
        const code = reader.vi64Any()
        const retry = reader.vi64('retry interval')
        const reason = readReason(reader)
        const base = {
          type: 'REQUEST_ERROR' as const,
          // A code beyond what we count with is unknown: INTERNAL_ERROR of its context (section 14).
          code: typeof code === 'number' ? code : RequestCode.INTERNAL_ERROR,
          retryAfterMs: retry === 0 ? null : retry - 1,
          reason,
        }
        return code === RequestCode.REDIRECT ? { ...base, redirect: readRedirect(reader) } : base
      },
    },
  }
}

const utf8 = new TextEncoder()

function readRedirect(reader: Reader): Redirect {
  return {
    connectUri: readText(reader, MAX_URI_BYTES, 'connect URI'),
    track: readFullTrackName(reader),
  }
}

function writeLocation(writer: Writer, location: Location): void {
  writer.vi64(location.group).vi64(location.object)
}

function readLocation(reader: Reader): Location {
  return { group: reader.vi64('group'), object: reader.vi64('object') }
}

function writeFetchRange(writer: Writer, range: FetchRange): void {
  if (range.kind === 'standalone') {
    writer.vi64(0x1)
    writeFullTrackName(writer, range.track)
    writeLocation(writer, range.start)
    writeLocation(writer, range.end)
    return
  }
  writer.vi64(range.kind === 'relative-joining' ? 0x2 : 0x3)
  writer.vi64(range.joiningRequestId).vi64(range.joiningStart)
}

function readFetchRange(reader: Reader): FetchRange {
  const type = reader.vi64('fetch type')
  if (type === 0x1) {
    const track = readFullTrackName(reader)
    const start = readLocation(reader)
    return { kind: 'standalone', track, start, end: readLocation(reader) }
  }
  if (type !== 0x2 && type !== 0x3) throw new ProtocolError(`unknown fetch type ${type}`)
  const joiningRequestId = reader.vi64('joining request id')
  const joiningStart = reader.vi64('joining start')
  const kind = type === 0x2 ? 'relative-joining' : 'absolute-joining'
  return { kind, joiningRequestId, joiningStart }
}

/** Section 1.4.4; our own reasons are cut to the draft's limit rather than refused. */
function writeReason(writer: Writer, reason: string): void {
  writer.lengthPrefixed(utf8.encode(reason).subarray(0, MAX_REASON_BYTES))
}

function readReason(reader: Reader): string {
  return readText(reader, MAX_REASON_BYTES, 'reason phrase')
}

export function writeText(writer: Writer, text: string): void {
  writer.lengthPrefixed(utf8.encode(text))
}

export function readText(reader: Reader, limit: number, what: string): string {
  const bytes = reader.lengthPrefixed()
  if (bytes.length > limit) throw new ProtocolError(`${what} above ${limit} bytes`)
  return textOf(bytes) ?? '(not UTF-8)'
}
