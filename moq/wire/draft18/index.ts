/** draft-ietf-moq-transport-18: control messages of section 10 on the wire. */

import { bodiesWith } from '../bodies.ts'
import type { Codec, DraftRules } from '../codec.ts'
import { controlCodec } from '../control-codec.ts'
import { ParameterTable } from '../parameter-table.ts'
import { PARAMETERS } from './parameters.ts'

const RULES: DraftRules = {
  requesterFinCancels: true,
  oneSubscriptionPerTrack: true,
  boundsRequestUpdates: false,
  namespacesExpire: false,
  subgroupTimeouts: false,
  termsForTracks: false,
}

export const draft18: Codec = controlCodec(
  'moqt-18',
  RULES,
  bodiesWith(new ParameterTable(PARAMETERS)),
)
