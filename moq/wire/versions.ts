/**
 * One codec a draft, picked by the negotiated version string. The session knows only the interface,
 * so a new draft is a new entry here and no branch there.
 */

import type { Codec } from './codec.ts'
import { draft18 } from './draft18/index.ts'
import { draft19 } from './draft19/index.ts'

/** In order of preference: 18 is what most others speak, and so what most was tried with. */
const CODECS: readonly Codec[] = [draft18, draft19]

/** Drafts whose rules, and not only whose messages, the session keeps. */
const SPOKEN: ReadonlySet<Codec> = new Set([draft18, draft19])

/** Version strings to offer and to accept, in order of preference. */
export const VERSIONS: readonly string[] = CODECS.filter((codec) => SPOKEN.has(codec)).map(
  (codec) => codec.version,
)

/** Version strings that have a codec; some may not be offered yet. */
export const CODEC_VERSIONS: readonly string[] = CODECS.map((codec) => codec.version)

/** @throws RangeError for a version that is not in `CODEC_VERSIONS` */
export function codecFor(version: string): Codec {
  const codec = CODECS.find((candidate) => candidate.version === version)
  if (!codec) throw new RangeError(`no codec for ${version}; known: ${CODEC_VERSIONS.join(', ')}`)
  return codec
}
