import { expect, it } from 'vitest'
import { missingFeature } from './missing-feature.ts'

const all = {
  Worker: class {},
  crypto: { subtle: {} },
  VideoEncoder: class {},
  VideoDecoder: class {},
  AudioEncoder: class {},
  AudioDecoder: class {},
  AudioWorkletNode: class {},
}

it('a browser that is too old is told by name what it lacks', () => {
  expect(missingFeature(all)).toBeNull()
  expect(missingFeature({ ...all, VideoEncoder: undefined })).toContain('WebCodecs')
  expect(missingFeature({ ...all, crypto: {} })).toContain('WebCrypto')
  expect(missingFeature({ ...all, crypto: undefined })).toContain('https:')
  expect(missingFeature({})).toBe('workers')
})
