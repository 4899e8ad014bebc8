import { describe, expect, it } from 'vitest'
import { CaptureError } from '../media/capture/errors.ts'
import { InputDevice } from './input-device.ts'

/** A track of a device, as the browser gives it. */
class FakeTrack extends EventTarget {
  enabled = true
  stopped = false
  readonly label: string
  private readonly deviceId: string

  constructor(deviceId: string) {
    super()
    this.deviceId = deviceId
    this.label = `Device ${deviceId}`
  }

  stop = () => {
    this.stopped = true
  }
  getSettings = () => ({ deviceId: this.deviceId })
}

async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve()
}

/** A machine with devices that open when told to, if at all. */
function setUp(staysOpen: boolean, id?: string) {
  const devices = new Set(['default', 'a', 'b'])
  const told: string[] = []
  const tracks: FakeTrack[] = []
  const waiting: (() => void)[] = []
  const machine = { slow: false, oneAtATime: false, forbidden: false, busy: '' }
  const open = (wish: { deviceId?: string; exact?: boolean }): FakeTrack => {
    if (machine.forbidden) throw new CaptureError('permission-denied', 'x', 'y')
    const isThere = wish.deviceId !== undefined && devices.has(wish.deviceId)
    if (devices.size === 0) throw new CaptureError('no-device', 'x', 'y')
    if (wish.exact && !isThere) throw new CaptureError('constraints', 'x', 'y')
    const isBusy = machine.oneAtATime && tracks.some(({ stopped }) => !stopped)
    if (isBusy || wish.deviceId === machine.busy) {
      throw new CaptureError('device-busy', 'x', 'y')
    }
    const track = new FakeTrack(isThere ? wish.deviceId! : [...devices][0]!)
    tracks.push(track)
    return track
  }
  const device = new InputDevice<string>({
    name: 'camera',
    id,
    staysOpen,
    request: async (wish) => {
      if (machine.slow) await new Promise<void>((resolve) => waiting.push(resolve))
      return open(wish) as unknown as MediaStreamTrack
    },
    tap: (track) => ({
      source: track.label,
      transfer: [],
      close: () => told.push(`untap ${track.label}`),
    }),
    onOpened: (_track, source) => told.push(`open ${source}`),
    onReleased: () => told.push('released'),
    onFailed: () => told.push('off'),
    onChanged: ({ reason, label }) => told.push(`${reason} ${label}`),
    onError: (error, lost) => {
      const { code } = error as CaptureError
      told.push(lost ? `lost: ${code}` : code)
    },
  })
  const take = () => told.splice(0)
  return { device, devices, machine, told, take, tracks, waiting }
}

async function opened(staysOpen: boolean, id?: string) {
  const world = setUp(staysOpen, id)
  world.device.enable(true)
  await settle()
  world.take()
  return world
}

describe('a camera', () => {
  it('opens when it is turned on, and is let go of when it is turned off', async () => {
    const { device, take, tracks } = setUp(false)
    expect(device.deviceId).toBeNull()
    device.enable(true)
    device.enable(true)
    await settle()
    expect(take()).toEqual(['open Device default', 'opened Device default'])
    expect(device.deviceId).toBe('default')
    device.enable(false)
    expect(take()).toEqual(['untap Device default', 'released'])
    expect(tracks.map(({ stopped }) => stopped)).toEqual([true])
    device.enable(true)
    await settle()
    expect(take()[0]).toBe('open Device default')
  })

  it('that was turned off while it opened is let go of, unseen', async () => {
    const { device, machine, take, tracks, waiting } = setUp(false)
    machine.slow = true
    device.enable(true)
    device.enable(false)
    waiting.shift()!()
    await settle()
    expect(take()).toEqual([])
    expect(tracks[0]!.stopped).toBe(true)
    device.enable(true)
    waiting.shift()!()
    await settle()
    expect(device.isOn).toBe(true)
  })

  it('is changed for another before it is let go of', async () => {
    const { device, take, tracks } = await opened(false)
    expect(await device.choose('b')).toBe(true)
    expect(take()).toEqual(['open Device b', 'untap Device default', 'chosen Device b'])
    expect(tracks.map(({ stopped }) => stopped)).toEqual([true, false])
    expect(device.deviceId).toBe('b')
  })

  it('is not opened by a choice while it is off, and is the chosen one afterwards', async () => {
    const { device, take, tracks } = await opened(false)
    device.enable(false)
    take()
    expect(await device.choose('b')).toBe(true)
    expect(tracks).toHaveLength(1)
    expect(device.deviceId).toBe('b')
    device.enable(true)
    await settle()
    expect(take()).toEqual(['open Device b', 'opened Device b'])
  })

  it('goes on where the chosen one is gone', async () => {
    const { device, take, tracks } = await opened(false, 'a')
    expect(await device.choose('gone')).toBe(false)
    expect(take()).toEqual(['constraints'])
    expect(tracks.map(({ stopped }) => stopped)).toEqual([false])
    expect(device.deviceId).toBe('a')
    expect(device.isOn).toBe(true)
  })

  it('is let go of first on machines that have one open at a time', async () => {
    const { device, machine, take } = await opened(false, 'a')
    machine.oneAtATime = true
    expect(await device.choose('b')).toBe(true)
    expect(take()).toEqual(['untap Device a', 'released', 'open Device b', 'opened Device b'])
  })

  it('is opened again where another program holds the chosen one', async () => {
    const { device, machine, take } = await opened(false, 'a')
    machine.busy = 'b'
    expect(await device.choose('b')).toBe(false)
    expect(take()).toEqual([
      'untap Device a',
      'released',
      'device-busy',
      'open Device a',
      'opened Device a',
    ])
  })

  it('is the last of several that are chosen in a hurry', async () => {
    const { device, tracks } = await opened(false)
    expect(await Promise.all([device.choose('a'), device.choose('b')])).toEqual([false, true])
    expect(tracks.filter(({ stopped }) => !stopped)).toHaveLength(1)
    expect(device.deviceId).toBe('b')
  })

  it('is off where it cannot be opened, and may be tried again', async () => {
    const { device, machine, take } = setUp(false)
    machine.forbidden = true
    device.enable(true)
    await settle()
    expect(take()).toEqual(['off', 'permission-denied'])
    expect(device.isOn).toBe(false)
    machine.forbidden = false
    device.enable(true)
    await settle()
    expect(take()[0]).toBe('open Device default')
  })

  it('that is unplugged is replaced by another', async () => {
    const { devices, take, tracks } = await opened(false, 'a')
    devices.delete('a')
    tracks[0]!.dispatchEvent(new Event('ended'))
    await settle()
    expect(take()).toEqual([
      'untap Device a',
      'released',
      'open Device default',
      'lost Device default',
    ])
    // The old one has nothing more to say.
    tracks[0]!.dispatchEvent(new Event('ended'))
    await settle()
    expect(take()).toEqual([])
  })

  it('that is unplugged and was the only one is off, and said to be lost', async () => {
    const { device, devices, take, tracks } = await opened(false)
    devices.clear()
    tracks[0]!.dispatchEvent(new Event('ended'))
    await settle()
    expect(take()).toEqual(['untap Device default', 'released', 'off', 'lost: no-device'])
    devices.add('c')
    device.enable(true)
    await settle()
    expect(take()).toEqual(['open Device c', 'opened Device c'])
  })

  it('is let go of for good when the call ends', async () => {
    const { device, machine, take, tracks, waiting } = await opened(false)
    machine.slow = true
    const choosing = device.choose('b')
    device.close()
    waiting.shift()!()
    expect(await choosing).toBe(false)
    expect(tracks.every(({ stopped }) => stopped)).toBe(true)
    expect(take()).toEqual(['untap Device default', 'released'])
    device.enable(true)
    expect(await device.choose('a')).toBe(false)
    await settle()
    expect(take()).toEqual([])
  })
})

describe('a microphone', () => {
  it('stays open while it is muted, gives silence, and is back at once', async () => {
    const { device, take, tracks } = await opened(true)
    device.enable(false)
    expect(tracks[0]).toMatchObject({ enabled: false, stopped: false })
    expect(device.isOn).toBe(false)
    device.enable(true)
    expect(tracks[0]!.enabled).toBe(true)
    expect(device.isOn).toBe(true)
    await settle()
    expect(take()).toEqual([])
  })

  it('that is changed while it is muted is let go of, and the other one opened when it is wanted', async () => {
    const { device, take, tracks } = await opened(true)
    device.enable(false)
    expect(await device.choose('b')).toBe(true)
    expect(take()).toEqual(['untap Device default', 'released'])
    expect(tracks.map(({ stopped }) => stopped)).toEqual([true])
    device.enable(true)
    await settle()
    expect(take()).toEqual(['open Device b', 'opened Device b'])
    expect(tracks[1]!.enabled).toBe(true)
  })

  it('that is unplugged while it is muted is not replaced before it is wanted', async () => {
    const { device, devices, take, tracks } = await opened(true, 'a')
    device.enable(false)
    devices.delete('a')
    tracks[0]!.dispatchEvent(new Event('ended'))
    await settle()
    expect(take()).toEqual(['untap Device a', 'released', 'lost '])
    device.enable(true)
    await settle()
    expect(take()).toEqual(['open Device default', 'opened Device default'])
  })
})
