import { describe, expect, it } from 'vitest'
import { findRendition, renditionProperty } from '../../moq/media/index.ts'
import { limitsOf, renditionsOf } from './renditions.ts'

const sizes = (...of: Parameters<typeof renditionsOf>) =>
  renditionsOf(...of).map(({ width, height }) => `${width}x${height}`)
const hd = { width: 1280, height: 720, framerate: 30 }

describe('the renditions of a capture', () => {
  it.each([
    [1280, 720, ['320x180', '640x360', '1280x720']],
    [1920, 1080, ['320x180', '640x360', '1280x720']],
    [720, 1280, ['180x320', '360x640', '720x1280']],
    [640, 480, ['320x240', '640x480']],
    [640, 360, ['320x180', '640x360']],
    [320, 240, ['320x240']],
    [2, 2, ['2x2']],
  ])('of %d x %d are %j', (width, height, expected) => {
    expect(sizes({ width, height, framerate: 30 })).toEqual(expected)
  })

  it('are the largest only without simulcast', () => {
    expect(sizes(hd, { simulcast: false })).toEqual(['1280x720'])
  })

  it('are worth more bits the larger they are, and fewer bits a pixel', () => {
    const bits = renditionsOf(hd).map(({ bitrate }) => bitrate)
    expect(bits).toEqual([172_000, 600_000, 2_089_000])
  })

  it('are those that fit together under a limit, and none is worth more than it', () => {
    expect(sizes(hd, { maxBitrate: 400_000 })).toEqual(['320x180', '640x360'])
    expect(renditionsOf(hd, { maxBitrate: 400_000 }).map(({ bitrate }) => bitrate)).toEqual([
      172_000, 400_000,
    ])
    expect(sizes(hd, { maxBitrate: 30_000 })).toEqual(['320x180'])
    expect(limitsOf('video/0', renditionsOf(hd, { maxBitrate: 30_000 })[0]!)).toMatchObject({
      minBitrate: 30_000,
      maxBitrate: 30_000,
    })
  })

  it('have a frame rate that a relay can be told, whatever the device says', () => {
    for (const [framerate, expected] of [
      [29.97, 30],
      [0, 1],
      [60, 30],
      [20, 20],
    ] as const) {
      const [first] = renditionsOf({ ...hd, framerate })
      expect(first!.framerate).toBe(expected)
      expect(findRendition([renditionProperty(first!)])).toMatchObject({ framerate: expected })
    }
  })
})
