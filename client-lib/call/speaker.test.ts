import { describe, expect, it } from 'vitest'
import { Speaker } from './speaker.ts'

async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve()
}

class FakeDevices extends EventTarget {
  readonly ids = new Set(['desk', 'head'])

  async enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return [...this.ids].map(
      (deviceId) =>
        ({ kind: 'audiooutput', deviceId, label: `The ${deviceId}` }) as MediaDeviceInfo,
    )
  }

  lose(id: string): void {
    this.ids.delete(id)
    this.dispatchEvent(new Event('devicechange'))
  }
}

function setUp({ canChoose = true, id }: { canChoose?: boolean; id?: string } = {}) {
  const devices = new FakeDevices()
  const told: string[] = []
  const speaker = new Speaker({
    id,
    canChoose,
    devices,
    playAt: async (at) => {
      if (at !== '' && !devices.ids.has(at)) throw new DOMException('gone', 'NotFoundError')
      told.push(`plays at ${at || 'the usual one'}`)
    },
    onChanged: ({ kind, deviceId, label, reason }) =>
      told.push(`${kind} ${reason}: ${deviceId} ${label}`),
    onError: ({ code, device }) => told.push(`${code} ${device}`),
  })
  return { speaker, devices, told, take: () => told.splice(0) }
}

describe('the speaker', () => {
  it('is the chosen one', async () => {
    const { speaker, take } = setUp()
    expect(speaker.deviceId).toBeNull()
    expect(await speaker.choose('head')).toBe(true)
    expect(take()).toEqual(['plays at head', 'speaker chosen: head The head'])
    expect(speaker.deviceId).toBe('head')
  })

  it('is the one that was chosen before the join', async () => {
    const { take } = setUp({ id: 'desk' })
    await settle()
    expect(take()[0]).toBe('plays at desk')
  })

  it('stays where the chosen one is not to be had', async () => {
    const { speaker, take } = setUp()
    await speaker.choose('head')
    take()
    expect(await speaker.choose('gone')).toBe(false)
    expect(take()).toEqual(['no-device speaker'])
    expect(speaker.deviceId).toBe('head')
  })

  it('is where the system says again when it is unplugged, and not when another device is', async () => {
    const { speaker, devices, take } = setUp()
    await speaker.choose('head')
    take()
    devices.lose('desk')
    await settle()
    expect(take()).toEqual([])
    devices.lose('head')
    await settle()
    expect(take()).toEqual(['plays at the usual one', 'speaker lost: null '])
    expect(speaker.deviceId).toBeNull()
  })

  it('cannot be chosen in every browser, and the person is told what to do', async () => {
    const { speaker, take } = setUp({ canChoose: false })
    expect(await speaker.choose('head')).toBe(false)
    expect(take()).toEqual(['speaker-unsupported speaker'])
  })

  it('says nothing more once the call has ended', async () => {
    const { speaker, devices, take } = setUp()
    const choosing = speaker.choose('head')
    speaker.close()
    expect(await choosing).toBe(false)
    devices.lose('head')
    await settle()
    expect(take()).toEqual(['plays at head'])
    expect(await speaker.choose('desk')).toBe(false)
  })
})
