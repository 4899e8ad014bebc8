/**
 * One codec a draft, picked by the negotiated version string. The session knows only the interface,
 * so a new draft is a new entry here and no branch there.
 */

import type { Codec } from './codec.ts'
import { draft18 } from './draft18/index.ts'

const CODECS: readonly Codec[] = [draft18]

/** Version strings in order of preference. */
export const VERSIONS: readonly string[] = CODECS.map((codec) => codec.version)

/** @throws RangeError for a version that is not in `VERSIONS` */
export function codecFor(version: string): Codec {
  const codec = CODECS.find((candidate) => candidate.version === version)
  if (!codec) throw new RangeError(`no codec for ${version}; known: ${VERSIONS.join(', ')}`)
  return codec
}
