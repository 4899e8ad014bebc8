/** The settings that bound what a session publishes; a bound may be lifted. */

import { z } from 'zod'
import type { Option } from './config-values.ts'
import {
  DEFAULT_POLICE_RATES,
  type PoliceRates,
  type PoliceSettings,
  policeSettings,
} from './forward/police/index.ts'

/** Infinity where there is no bound. */
export interface PublishSettings {
  readonly publishKbits: number
  readonly publishObjects: number
  readonly audioKbits: number
  readonly videoKbits: number
  readonly screenKbits: number
  readonly signallingKbits: number
  readonly trackObjects: number
}

const MOST = 100_000_000
const error = `must be a whole number up to ${MOST}, or none`
const number = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)], { error })
const bound = z.union(
  [
    z.literal('none').transform(() => Number.POSITIVE_INFINITY),
    number
      .refine((value) => Number.isInteger(value) && value >= 0 && value <= MOST, { error })
      .transform((value) => (value === 0 ? Number.POSITIVE_INFINITY : value)),
  ],
  { error },
)

function rate(flag: string, unit: 'kbit/s' | 'number', help: string, fallback: number) {
  const group = 'Limits of what a session publishes (none lifts one):'
  const option: Option<number> = {
    flag,
    value: `<${unit}>`,
    help,
    group,
    fallback,
    fallbackText: String(fallback),
    schema: bound,
  }
  return option
}

const rates = DEFAULT_POLICE_RATES

export const publishOptions: {
  readonly [Key in keyof PublishSettings]: Option<PublishSettings[Key]>
} = {
  publishKbits: rate('publish-rate', 'kbit/s', 'payload of all its tracks', rates.sessionKbits),
  publishObjects: rate(
    'publish-objects',
    'number',
    'objects a second of all its tracks',
    rates.sessionObjects,
  ),
  audioKbits: rate('audio-rate', 'kbit/s', 'payload of a track of sound', rates.audioKbits),
  videoKbits: rate(
    'video-rate',
    'kbit/s',
    'payload of a rendition of a camera, all its layers',
    rates.videoKbits,
  ),
  screenKbits: rate('screen-rate', 'kbit/s', 'payload of a shared screen', rates.screenKbits),
  signallingKbits: rate(
    'signalling-rate',
    'kbit/s',
    'payload of a catalog, a chat or the handshakes',
    rates.signallingKbits,
  ),
  trackObjects: rate(
    'track-objects',
    'number',
    'objects a second of one track of a call',
    rates.trackObjects,
  ),
}

/** What each session may publish, from the settings. */
export function policeSettingsOf(
  settings: PublishSettings & { readonly maxObjectBytes: number },
): PoliceSettings {
  const { publishKbits: sessionKbits, publishObjects: sessionObjects } = settings
  const { audioKbits, videoKbits, screenKbits, signallingKbits, trackObjects } = settings
  const rates: PoliceRates = {
    sessionKbits,
    sessionObjects,
    audioKbits,
    videoKbits,
    screenKbits,
    signallingKbits,
    trackObjects,
  }
  return policeSettings(rates, settings.maxObjectBytes)
}
