/**
 * Who speaks in a room, and who did before: the one object of each group of the track `speakers`. The
 * relay judges by the audio levels that publishers state, so it is as true as they are.
 *
 *     version (vi64) = 1, count (vi64), then each, the newest speaker first:
 *     participant (length, UTF-8), flags (8)
 */

import { MediaFormatError } from './errors.ts'
import { checkId, MAX_ID_BYTES } from './names.ts'
import { beginRecord, readRecord, readText, readUpTo, writeText } from './relay-record.ts'

export interface Speaker {
  readonly participant: string
  /** Now; else some time ago. */
  readonly speaking: boolean
}

/** Most recent speakers that a list names. */
export const MAX_SPEAKERS = 64

const SPEAKING = 0x01

/** @throws RangeError, or MediaFormatError, for what `decodeSpeakers` would refuse */
export function encodeSpeakers(speakers: readonly Speaker[]): Uint8Array {
  if (speakers.length > MAX_SPEAKERS) throw new RangeError(`${speakers.length} speakers`)
  const writer = beginRecord().vi64(speakers.length)
  for (const { participant, speaking } of speakers) {
    writeText(writer, checkId('participant', participant), MAX_ID_BYTES)
    writer.uint8(speaking ? SPEAKING : 0)
  }
  return writer.finish()
}

/** @throws MediaFormatError for what is no list of this version, or breaks a bound */
export function decodeSpeakers(bytes: Uint8Array): Speaker[] {
  return readRecord('speakers', bytes, (reader) => {
    const speakers = new Map<string, Speaker>()
    for (let left = readUpTo(reader, MAX_SPEAKERS, 'speaker count'); left > 0; left--) {
      const id = readText(reader, MAX_ID_BYTES, 'participant')
      const participant = checkId('participant', id)
      if (speakers.has(participant)) throw new MediaFormatError('a speaker is named twice')
      // Other bits are for versions that add to this one without changing it.
      speakers.set(participant, { participant, speaking: (reader.uint8() & SPEAKING) !== 0 })
    }
    return [...speakers.values()]
  })
}
