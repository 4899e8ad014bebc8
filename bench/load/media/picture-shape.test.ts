import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../sfu/simulation/net/random.ts'
import { type FrameShape, PictureShape } from './picture-shape.ts'
import { camera, type PictureSpec } from './profile.ts'

const [spec] = camera(1) as [PictureSpec]

function frames(shape: PictureShape, count: number): FrameShape[] {
  return Array.from({ length: count }, () => shape.next())
}

describe('the shape of a picture', () => {
  it('goes over to another bitrate', () => {
    const shape = new PictureShape(spec, seededRandom(1))
    frames(shape, 5 * spec.framerate)
    shape.setBitrate(spec.bitrate / 4)
    // The debt of the time before is repaid first.
    frames(shape, 2 * spec.framerate)
    const sizes = frames(shape, 20 * spec.framerate).map(({ bytes }) => bytes)
    const rate = (sizes.reduce((sum, bytes) => sum + bytes, 0) * 8) / 20
    expect(rate / (spec.bitrate / 4)).toBeGreaterThan(0.9)
    expect(rate / (spec.bitrate / 4)).toBeLessThan(1.1)
  })

  it.each([
    1, 2, 3,
  ] as const)('keeps to its bits a second with %d temporal layers', (temporalLayers) => {
    const seconds = 60
    const shape = new PictureShape({ ...spec, temporalLayers }, seededRandom(temporalLayers))
    const sizes = frames(shape, seconds * spec.framerate).map(({ bytes }) => bytes)
    const rate = (sizes.reduce((sum, bytes) => sum + bytes, 0) * 8) / seconds
    expect(rate / spec.bitrate).toBeGreaterThan(0.95)
    expect(rate / spec.bitrate).toBeLessThan(1.05)
  })

  it('has the layers of L1T3, from each key frame on', () => {
    const layers = frames(new PictureShape(spec, seededRandom(1)), 9)
    expect(layers.map(({ temporalLayer }) => temporalLayer)).toEqual([0, 2, 1, 2, 0, 2, 1, 2, 0])
    expect(layers.map(({ key }) => key)).toEqual([true, ...new Array(8).fill(false)])
  })

  it('has key frames several times as large as others, and base frames larger than those above', () => {
    const all = frames(new PictureShape(spec, () => 0.5), 300)
    const mean = (of: (frame: FrameShape) => boolean) => {
      const sizes = all.filter(of).map(({ bytes }) => bytes)
      return sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length
    }
    const base = mean(({ key, temporalLayer }) => !key && temporalLayer === 0)
    expect(mean(({ key }) => key)).toBeGreaterThan(3 * base)
    expect(base).toBeGreaterThan(mean(({ temporalLayer }) => temporalLayer === 2))
  })

  it('gives a key frame when asked, but not two within a quarter of a second', () => {
    const shape = new PictureShape(spec, seededRandom(1))
    const keys: number[] = []
    for (let frame = 0; frame < 30; frame++) {
      shape.requestKeyFrame()
      if (shape.next().key) keys.push(frame)
    }
    expect(keys).toEqual([0, 8, 16, 24])
  })

  it('gives one by itself after its longest time', () => {
    const all = frames(new PictureShape({ ...spec, keyFrameMs: 1000 }, seededRandom(1)), 61)
    expect(all.flatMap(({ key }, index) => (key ? [index] : []))).toEqual([0, 30, 60])
  })
})
