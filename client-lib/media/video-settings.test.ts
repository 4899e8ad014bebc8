import { describe, expect, it } from 'vitest'
import { DEFAULT_VIDEO, encoderConfig, fitInside } from './video-settings.ts'

describe('video settings', () => {
  it.each([
    [1280, 720, 640, 360],
    [640, 480, 480, 360],
    [720, 1280, 202, 360],
    [320, 180, 320, 180],
    [1, 1, 2, 2],
  ])('fit %d x %d into 640 x 360 as %d x %d', (width, height, fitWidth, fitHeight) => {
    expect(fitInside(DEFAULT_VIDEO, width, height)).toEqual({ width: fitWidth, height: fitHeight })
  })

  it('become a real-time configuration with temporal layers', () => {
    expect(encoderConfig(DEFAULT_VIDEO)).toMatchObject({
      codec: 'vp8',
      latencyMode: 'realtime',
      scalabilityMode: 'L1T3',
    })
    expect(
      encoderConfig({ ...DEFAULT_VIDEO, codec: 'h264', width: 1920, height: 1080 }),
    ).toMatchObject({ codec: 'avc1.42e028', avc: { format: 'annexb' } })
  })
})
