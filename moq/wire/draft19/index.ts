/**
 * draft-ietf-moq-transport-19: what it writes otherwise than draft-18.
 *
 * - GOAWAY has no Request ID (section 10.4).
 * - Range filters, parameters 0x25 to 0x29, and other places for GROUP_ORDER and for what
 *   SUBSCRIBE_TRACKS may carry: see `parameters.ts`.
 * - Setup options MAX_FILTER_RANGES and MAX_REQUEST_UPDATES; a few codes (see `codes.ts`).
 * - PUBLISH_BLOCKED is named PUBLISH_SKIPPED; its bytes are the same.
 *
 * Headers of streams and datagrams, objects and properties have the same bytes. What is new beside the
 * wire is the session's matter, and it must have the first two before this draft may be offered:
 *
 * - A FIN of the requester's says that no update follows and never cancels (section 3.3.2); in
 *   draft-18 it also cancelled a SUBSCRIBE_NAMESPACE.
 * - At most MAX_REQUEST_UPDATES of the peer's are unanswered on a stream (section 10.3.1.7).
 * - A range filter is answered with INVALID_FILTER unless MAX_FILTER_RANGES allowed it.
 * - Subscriptions to one track in one session may be several, even under one alias (section 5.1).
 * - A delivery timeout may also be a property of a subgroup's first object.
 * - Property types 0x38 to 0x3f are no longer an application's own; 0x78 to 0x7f are (section 2.5).
 * - The datagram goes first where it and a stream's object are due alike (section 7.2).
 */

import { bodiesWith, MAX_URI_BYTES, readText, writeText } from '../bodies.ts'
import type { Codec } from '../codec.ts'
import { controlCodec } from '../control-codec.ts'
import { ParameterTable } from '../parameter-table.ts'
import { PARAMETERS } from './parameters.ts'

/** Setup options that draft-18 does not have (sections 10.3.1.6 and 10.3.1.7); both 0 unless sent. */
export const SetupOption = {
  /** Ranges that the peer may use in the filters of one request; without it none. */
  MAX_FILTER_RANGES: 0x06,
  /** REQUEST_UPDATE messages that may be unanswered on one stream; 0 or none is no limit. */
  MAX_REQUEST_UPDATES: 0x08,
} as const

export const draft19: Codec = controlCodec('moqt-19', {
  ...bodiesWith(new ParameterTable(PARAMETERS)),
  GOAWAY: {
    write: (writer, { newSessionUri, timeout }) => {
      writeText(writer, newSessionUri)
      writer.vi64(timeout)
    },
    read: (reader) => ({
      type: 'GOAWAY',
      newSessionUri: readText(reader, MAX_URI_BYTES, 'new session URI'),
      timeout: reader.vi64('timeout'),
    }),
  },
})
