import { describe, expect, it } from 'vitest'
import { CaptureError } from '../media/capture/errors.ts'
import type { FrameSource } from '../media/capture/frame-source.ts'
import { type CapturedScreen, ScreenShare } from './screen-share.ts'

/** A person who chooses a screen when told to. */
function world(error?: Error) {
  const told: string[] = []
  const stopped: number[] = []
  let asked = 0
  const tracks: EventTarget[] = []
  const screen = new ScreenShare(
    {
      onStarted: (_frames, sound) => told.push(sound ? 'started with sound' : 'started'),
      onEnded: () => told.push('ended'),
      onError: ({ code }) => told.push(code),
    },
    async () => {
      const number = ++asked
      if (error) throw error
      const track = new EventTarget()
      tracks.push(track)
      return {
        picture: track as MediaStreamTrack,
        frames: { source: {} as FrameSource, transfer: [], close: () => {} },
        sound: null,
        stop: () => stopped.push(number),
      } satisfies CapturedScreen
    },
  )
  return { screen, told, stopped, tracks, asked: () => asked }
}

describe('sharing a screen', () => {
  it('starts once and stops once', async () => {
    const { screen, told, stopped, asked } = world()
    const [first, meanwhile] = await Promise.all([screen.start(), screen.start()])
    expect([first, meanwhile, await screen.start()]).toEqual([true, false, true])
    expect(asked()).toBe(1)
    screen.stop()
    screen.stop()
    expect(told).toEqual(['started', 'ended'])
    expect(stopped).toEqual([1])
  })

  it('ends when the person ends it in the browser, and an older one ends nothing', async () => {
    const { screen, told, tracks } = world()
    await screen.start()
    tracks[0]!.dispatchEvent(new Event('ended'))
    await screen.start()
    tracks[0]!.dispatchEvent(new Event('ended'))
    expect(told).toEqual(['started', 'ended', 'started'])
  })

  it('is no error when the person chooses nothing, and one when it cannot be done', async () => {
    const declined = world(new CaptureError('permission-denied', 'x', 'y'))
    expect(await declined.screen.start()).toBe(false)
    expect(declined.told).toEqual([])
    const failing = world(new CaptureError('no-device', 'x', 'y'))
    expect(await failing.screen.start()).toBe(false)
    expect(failing.told).toEqual(['no-device'])
  })

  it('lets go of what the person chooses after the call has ended', async () => {
    const { screen, told, stopped } = world()
    const starting = screen.start()
    screen.close()
    expect(await starting).toBe(false)
    expect(stopped).toEqual([1])
    expect(told).toEqual([])
    expect(await screen.start()).toBe(false)
  })
})
