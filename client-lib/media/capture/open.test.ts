import { afterEach, describe, expect, it, vi } from 'vitest'
import { explain } from './errors.ts'
import { formatOf, openDevices, openScreen } from './open.ts'

afterEach(() => vi.unstubAllGlobals())

function stubBrowser(devices: Record<string, unknown>) {
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('navigator', { mediaDevices: devices })
}

describe('opening devices', () => {
  it('asks once for all that is wished, with the defaults', async () => {
    const getUserMedia = vi.fn(async (_constraints: MediaStreamConstraints) => 'stream')
    stubBrowser({ getUserMedia })
    expect(await openDevices({ camera: {}, microphone: {} })).toBe('stream')
    expect(getUserMedia.mock.calls).toMatchObject([
      [
        {
          video: {
            width: { ideal: 640 },
            height: { ideal: 360 },
            frameRate: { ideal: 30, max: 30 },
          },
          audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
        },
      ],
    ])
    await openDevices({ microphone: {} })
    expect(getUserMedia.mock.lastCall![0].video).toBe(false)
  })

  it('takes another device than the wished one, unless no other will do', async () => {
    const gone = new Set(['a'])
    const idOf = (asked: unknown) => (asked as { deviceId?: { exact: string } }).deviceId?.exact
    const getUserMedia = vi.fn(async ({ video, audio }: MediaStreamConstraints) => {
      for (const id of [idOf(video), idOf(audio)]) {
        if (id !== undefined && gone.has(id)) throw new DOMException('x', 'OverconstrainedError')
      }
      return `${idOf(video)} ${idOf(audio)}`
    })
    stubBrowser({ getUserMedia })
    const camera = { deviceId: 'a', width: 320 }
    const microphone = { deviceId: 'b', exact: true }
    expect(await openDevices({ camera, microphone })).toBe('undefined b')
    expect(getUserMedia.mock.lastCall![0].video).toMatchObject({ width: { ideal: 320 } })
    gone.add('b')
    await expect(openDevices({ camera, microphone })).rejects.toMatchObject({ code: 'constraints' })
    await expect(openDevices({ microphone })).rejects.toMatchObject({ code: 'constraints' })
  })

  it('says when the page is not secure', async () => {
    await expect(openScreen()).rejects.toMatchObject({ code: 'insecure-page' })
  })

  it('says when the browser shares no screens', async () => {
    stubBrowser({})
    await expect(openScreen()).rejects.toMatchObject({ code: 'unsupported' })
  })

  it('passes a refusal on with advice', async () => {
    stubBrowser({
      getUserMedia: async () => {
        throw new DOMException('no', 'NotAllowedError')
      },
    })
    await expect(openDevices({ camera: {} })).rejects.toMatchObject({
      name: 'CaptureError',
      code: 'permission-denied',
      message: 'the use of the camera was not allowed',
      advice: expect.stringContaining('Allow it'),
    })
  })
})

describe('what a camera gives', () => {
  it('is what it says, and what was asked for where it says nothing', () => {
    const track = (settings: MediaTrackSettings) =>
      ({ getSettings: () => settings }) as MediaStreamTrack
    expect(formatOf(track({ width: 1280, height: 720, frameRate: 15 }))).toEqual({
      width: 1280,
      height: 720,
      framerate: 15,
    })
    expect(formatOf(track({}))).toEqual({ width: 640, height: 360, framerate: 30 })
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
    expect(explain(error, 'screen')).toBe(error)
  })
})
