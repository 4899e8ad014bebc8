import { expect, it } from 'vitest'
import { LayerMeter } from './layer-meter.ts'

it('tells the temporal layers that came within about the last second', () => {
  let now = 0
  const meter = new LayerMeter(() => now)
  expect(meter.layers).toBeNull()
  for (const layer of [0, 2, 1, 2]) meter.note(layer)
  expect(meter.layers).toBe(3)
  for (now = 500; now <= 1400; now += 100) meter.note(0)
  expect(meter.layers).toBe(3)
  for (; now <= 2400; now += 100) meter.note(0)
  expect(meter.layers).toBe(1)
  now = 60_000
  expect(meter.layers).toBe(1)
  meter.note(1)
  expect(meter.layers).toBe(2)
})
