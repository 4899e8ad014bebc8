/** What this browser can encode in real time and in temporal layers, and what it can decode. */

import { VIDEO_CODECS, type VideoCodecName, videoCodecString } from './codecs.ts'
import { DEFAULT_VIDEO, encoderConfig } from './video-settings.ts'

export interface CodecSupport {
  /** With the most temporal layers, up to three. */
  readonly encodes: ReadonlyMap<VideoCodecName, 1 | 2 | 3>
  readonly decodes: readonly VideoCodecName[]
}

const LAYERS = [3, 2, 1] as const

/** Asks the browser of each codec; one that it does not know is one that it cannot do. */
export async function probeCodecs(): Promise<CodecSupport> {
  const encodes = new Map<VideoCodecName, 1 | 2 | 3>()
  const decodes: VideoCodecName[] = []
  const found = await Promise.all(
    VIDEO_CODECS.map(async (codec) => ({
      codec,
      layers: await layersOf(codec),
      decodable: await isDecodable(codec),
    })),
  )
  for (const { codec, layers, decodable } of found) {
    if (layers !== null) encodes.set(codec, layers)
    if (decodable) decodes.push(codec)
  }
  return { encodes: preferLayered(encodes), decodes }
}

/** A codec without layers is of use only where no other has them: a narrow path needs them. */
function preferLayered(
  encodes: ReadonlyMap<VideoCodecName, 1 | 2 | 3>,
): ReadonlyMap<VideoCodecName, 1 | 2 | 3> {
  const most = Math.max(0, ...encodes.values())
  return new Map([...encodes].filter(([, layers]) => layers === most))
}

async function layersOf(codec: VideoCodecName): Promise<1 | 2 | 3 | null> {
  for (const temporalLayers of LAYERS) {
    const config = encoderConfig({ ...DEFAULT_VIDEO, codec, temporalLayers })
    if (await isSupported(() => VideoEncoder.isConfigSupported(config))) return temporalLayers
  }
  return null
}

function isDecodable(codec: VideoCodecName): Promise<boolean> {
  const { width, height } = DEFAULT_VIDEO
  const config = { codec: videoCodecString(codec, width, height), optimizeForLatency: true }
  return isSupported(() => VideoDecoder.isConfigSupported(config))
}

async function isSupported(ask: () => Promise<{ supported?: boolean }>): Promise<boolean> {
  try {
    return (await ask()).supported === true
  } catch {
    return false
  }
}
