import { afterEach, describe, expect, it, vi } from 'vitest'
import { captureCamera, captureScreen, explain } from './capture.ts'

const FEATURES = [
  'VideoEncoder',
  'VideoDecoder',
  'AudioEncoder',
  'AudioDecoder',
  'AudioWorkletNode',
]

afterEach(() => vi.unstubAllGlobals())

function stubBrowser(getUserMedia: (constraints: MediaStreamConstraints) => Promise<unknown>) {
  vi.stubGlobal('isSecureContext', true)
  for (const name of FEATURES) vi.stubGlobal(name, class {})
  vi.stubGlobal(
    'MediaStreamTrackProcessor',
    class {
      readonly readable: unknown
      constructor(init: { track: unknown }) {
        this.readable = init.track
      }
    },
  )
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } })
}

describe('captureCamera', () => {
  it('asks for the defaults and wraps the tracks', async () => {
    let asked: MediaStreamConstraints = {}
    const video = { stop: vi.fn() }
    stubBrowser(async (constraints) => {
      asked = constraints
      return {
        getVideoTracks: () => [video],
        getAudioTracks: () => [],
        getTracks: () => [video],
      }
    })
    const capture = await captureCamera()
    expect(asked).toMatchObject({
      video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 } },
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    })
    expect(capture.video?.track).toBe(video)
    expect(capture.audio).toBeNull()
    capture.stop()
    expect(video.stop).toHaveBeenCalledOnce()
  })

  it('names the missing browser feature', async () => {
    stubBrowser(async () => null)
    vi.stubGlobal('MediaStreamTrackProcessor', undefined)
    await expect(captureCamera()).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('MediaStreamTrackProcessor'),
    })
  })

  it('says when the page is not secure', async () => {
    await expect(captureScreen()).rejects.toMatchObject({ code: 'insecure-page' })
  })

  it('passes a refusal on with advice', async () => {
    stubBrowser(async () => {
      throw new DOMException('no', 'NotAllowedError')
    })
    await expect(captureCamera()).rejects.toMatchObject({
      name: 'CaptureError',
      code: 'permission-denied',
      advice: expect.stringContaining('Allow it'),
    })
  })
})

describe('explain', () => {
  it.each([
    ['NotAllowedError', 'permission-denied'],
    ['NotFoundError', 'no-device'],
    ['NotReadableError', 'device-busy'],
    ['OverconstrainedError', 'constraints'],
    ['WhateverError', 'failed'],
  ])('knows %s as %s', (name, code) => {
    const error = explain(new DOMException('x', name), 'camera')
    expect(error.code).toBe(code)
    expect(error.message).toContain('camera')
    expect(error.advice).not.toBe('')
  })
})
