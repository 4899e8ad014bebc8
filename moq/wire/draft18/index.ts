/** draft-ietf-moq-transport-18: control messages of section 10 on the wire. */

import { bodiesWith } from '../bodies.ts'
import type { Codec } from '../codec.ts'
import { controlCodec } from '../control-codec.ts'
import { ParameterTable } from '../parameter-table.ts'
import { PARAMETERS } from './parameters.ts'

export const draft18: Codec = controlCodec('moqt-18', bodiesWith(new ParameterTable(PARAMETERS)))
