import { afterEach, describe, expect, it, vi } from 'vitest'
import { CaptureError, type CaptureErrorCode } from '../media/capture/errors.ts'
import type { CaptureWish } from '../media/capture/open.ts'
import { DeviceRequests } from './device-requests.ts'

afterEach(() => vi.unstubAllGlobals())

type Answer = (wish: CaptureWish) => CaptureErrorCode | null

/** @param refuse why a wish is not granted; null: it is */
function setUp(refuse: Answer = () => null) {
  const asked: CaptureWish[] = []
  const requests = new DeviceRequests({ width: 1280, height: 720 }, async (wish) => {
    asked.push(wish)
    const code = refuse(wish)
    if (code !== null) throw new CaptureError(code, 'x', 'y')
    const tracks = (kind: string, is: boolean) => (is ? [{ kind }] : [])
    return {
      getVideoTracks: () => tracks('video', wish.camera !== undefined),
      getAudioTracks: () => tracks('audio', wish.microphone !== undefined),
    } as unknown as MediaStream
  })
  const both = () =>
    Promise.allSettled([
      requests.request('camera', {}),
      requests.request('microphone', { deviceId: 'm' }),
    ])
  return { requests, asked, both }
}

const statuses = (results: PromiseSettledResult<MediaStreamTrack>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? result.value.kind : result.reason.code))

function stubPermissions(states: Record<string, string>) {
  const query = async ({ name }: { name: string }) => ({ state: states[name] })
  vi.stubGlobal('navigator', { permissions: { query } })
}

describe('requests for devices', () => {
  it('are one question where both are wanted at once', async () => {
    const { asked, both, requests } = setUp()
    expect(statuses(await both())).toEqual(['video', 'audio'])
    expect(asked).toEqual([{ camera: { width: 1280, height: 720 }, microphone: { deviceId: 'm' } }])
    expect((await requests.request('microphone', {})).kind).toBe('audio')
    expect(asked[1]).toEqual({ microphone: {} })
  })

  it('get one of the two where the other is not there', async () => {
    const { asked, both } = setUp(({ camera }) => (camera ? 'no-device' : null))
    expect(statuses(await both())).toEqual(['no-device', 'audio'])
    expect(asked).toHaveLength(3)
  })

  it('do not ask again whoever has just refused both', async () => {
    stubPermissions({ camera: 'prompt', microphone: 'prompt' })
    const { asked, both, requests } = setUp(() => 'permission-denied')
    const results = await both()
    expect(statuses(results)).toEqual(['permission-denied', 'permission-denied'])
    expect(asked).toHaveLength(1)
    const [camera, microphone] = results as PromiseRejectedResult[]
    expect(camera!.reason).toBe(microphone!.reason)
    expect(requests.isJoint(camera!.reason)).toBe(true)
  })

  it('get the microphone where only the camera is forbidden for good', async () => {
    stubPermissions({ camera: 'denied', microphone: 'granted' })
    const { both, requests } = setUp(({ camera }) => (camera ? 'permission-denied' : null))
    const results = await both()
    expect(statuses(results)).toEqual(['permission-denied', 'audio'])
    expect(requests.isJoint((results[0] as PromiseRejectedResult).reason)).toBe(false)
  })

  it('are refused both where the browser tells of no permissions', async () => {
    const { asked, both } = setUp(() => 'permission-denied')
    expect(statuses(await both())).toEqual(['permission-denied', 'permission-denied'])
    expect(asked).toHaveLength(1)
  })
})
