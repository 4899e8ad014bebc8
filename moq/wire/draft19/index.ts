/**
 * draft-ietf-moq-transport-19: what it writes otherwise than draft-18.
 *
 * - GOAWAY has no Request ID (section 10.4).
 * - Range filters, parameters 0x25 to 0x29, and other places for GROUP_ORDER and for what
 *   SUBSCRIBE_TRACKS may carry: see `parameters.ts`.
 * - Setup options MAX_FILTER_RANGES and MAX_REQUEST_UPDATES (see `session/setup-rules.ts`); a few codes
 *   (see `codes.ts`).
 * - PUBLISH_BLOCKED is named PUBLISH_SKIPPED; its bytes are the same.
 *
 * Headers of streams and datagrams, objects and properties have the same bytes. What is new beside the
 * wire is in `RULES` and kept by the session and the relay:
 *
 * - A FIN of the requester's says that no update follows and never cancels (section 3.3.2); in
 *   draft-18 it also cancelled a SUBSCRIBE_NAMESPACE.
 * - At most MAX_REQUEST_UPDATES of the peer's are unanswered on a stream (section 10.3.1.7).
 * - Subscriptions to one track in one session may be several, even under one alias (section 5.1).
 * - A delivery timeout may also be a property of a subgroup's first object (section 8).
 * - What a SUBSCRIBE_TRACKS asks holds for the subscriptions that come of it (section 10.19.1).
 * - EXPIRES may stand in the answer to a namespace request (section 10.2.15).
 *
 * Range filters are decoded and answered with INVALID_FILTER: nobody here sends MAX_FILTER_RANGES. That
 * a datagram goes before a stream's object that is due alike (section 7.2) the relay does in any
 * draft. Property types 0x38 to 0x3f are no longer an application's own; 0x78 to 0x7f are (section 2.5).
 */

import { bodiesWith, MAX_URI_BYTES, readText, writeText } from '../bodies.ts'
import type { Codec, DraftRules } from '../codec.ts'
import { controlCodec } from '../control-codec.ts'
import { ParameterTable } from '../parameter-table.ts'
import { PARAMETERS } from './parameters.ts'

const RULES: DraftRules = {
  requesterFinCancels: false,
  oneSubscriptionPerTrack: false,
  boundsRequestUpdates: true,
  namespacesExpire: true,
  subgroupTimeouts: true,
  termsForTracks: true,
}

export const draft19: Codec = controlCodec('moqt-19', RULES, {
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
