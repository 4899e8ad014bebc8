import { expect, it } from 'vitest'
import { choices } from './device-pickers.ts'

it('devices can be chosen once the browser tells their names, each in its list', () => {
  const device = (kind: MediaDeviceKind, deviceId: string, label: string) => ({
    kind,
    deviceId,
    label,
  })
  const before = [device('audioinput', '', ''), device('videoinput', '', '')]
  expect(choices(before, 'audioinput')).toEqual([])
  const desk = device('audioinput', 'a', 'Desk')
  const all = [desk, device('audiooutput', 'b', 'Speakers'), device('videoinput', 'c', 'Front')]
  expect(choices(all, 'audioinput')).toEqual([desk])
})
