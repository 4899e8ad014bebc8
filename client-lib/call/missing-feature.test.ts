import { expect, it } from 'vitest'
import { pageUnfit } from './missing-feature.ts'

const all = {
  isSecureContext: true,
  Worker: class {},
  crypto: { subtle: {} },
  VideoEncoder: class {},
  VideoDecoder: class {},
  AudioEncoder: class {},
  AudioDecoder: class {},
  AudioWorkletNode: class {},
}

it('a browser that is too old is told by name what it lacks, and what to do', () => {
  expect(pageUnfit(all)).toBeNull()
  const lacking = (scope: object) => {
    const error = pageUnfit(scope)
    expect(error?.code).toBe('browser-too-old')
    expect(error?.message).toContain('Update it')
    return error?.message
  }
  expect(lacking({ ...all, VideoEncoder: undefined })).toContain('video encoding (WebCodecs)')
  expect(lacking({ ...all, AudioWorkletNode: undefined })).toContain('audio worklets')
  expect(lacking({ ...all, crypto: {} })).toContain('WebCrypto')
  expect(lacking({ ...all, crypto: undefined })).toContain('WebCrypto')
  expect(lacking({})).toContain('workers')
})

it('a page that is not from https:// is told so, and not that its browser is old', () => {
  const error = pageUnfit({ ...all, isSecureContext: false, crypto: {} })
  expect(error).toMatchObject({ code: 'insecure-page' })
  expect(error?.message).toContain('over https://')
})

it('a browser that encodes pictures but no sound is told so, as Safari was before 26', () => {
  const safari = { ...all, AudioEncoder: undefined, AudioDecoder: undefined }
  expect(pageUnfit(safari)?.message).toContain('sound encoding (WebCodecs)')
})

it('a browser that cannot read tracks is not too old: there are other ways', () => {
  expect(pageUnfit({ ...all, MediaStreamTrackProcessor: undefined })).toBeNull()
})
