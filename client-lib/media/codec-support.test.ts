import { afterEach, describe, expect, it, vi } from 'vitest'
import { probeCodecs } from './codec-support.ts'

/** A browser whose encoders can do these scalability modes by codec string, and whose decoders these. */
function browser(encoders: Record<string, readonly string[]>, decoders: readonly string[]) {
  const of = (codec: string) => codec.split('.')[0]!
  vi.stubGlobal('VideoEncoder', {
    isConfigSupported: async ({ codec, scalabilityMode }: VideoEncoderConfig) => {
      const modes = encoders[of(codec)]
      if (!modes) throw new TypeError('no such codec')
      return { supported: modes.includes(scalabilityMode!) }
    },
  })
  vi.stubGlobal('VideoDecoder', {
    isConfigSupported: async ({ codec }: VideoDecoderConfig) => ({
      supported: decoders.includes(of(codec)),
    }),
  })
}

afterEach(() => vi.unstubAllGlobals())

describe('probeCodecs', () => {
  it('finds what can be encoded in most layers, and all that can be decoded', async () => {
    browser({ vp8: ['L1T1', 'L1T2', 'L1T3'], vp09: ['L1T3'], avc1: ['L1T1'] }, ['vp8', 'avc1'])
    const { encodes, decodes } = await probeCodecs()
    expect([...encodes]).toEqual([
      ['vp8', 3],
      ['vp9', 3],
    ])
    expect(decodes).toEqual(['vp8', 'h264'])
  })

  it('is content with fewer layers where no codec has more', async () => {
    browser({ avc1: ['L1T1'], vp8: ['L1T1'] }, [])
    expect([...(await probeCodecs()).encodes]).toEqual([
      ['vp8', 1],
      ['h264', 1],
    ])
  })

  it('finds nothing where there are no codecs at all', async () => {
    const { encodes, decodes } = await probeCodecs()
    expect([encodes.size, decodes]).toEqual([0, []])
  })
})
