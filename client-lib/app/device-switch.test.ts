import { describe, expect, it } from 'vitest'
import { DeviceSwitch } from './device-switch.ts'

describe('DeviceSwitch', () => {
  it('shows a wish at once, and is not confused by a report that is older', () => {
    const mic = new DeviceSwitch()
    mic.follow(true, 0)
    mic.ask(false, 10)
    expect(mic.on).toBe(false)
    expect(mic.follow(true, 20)).toBe(true)
    expect(mic.on).toBe(false)
    expect(mic.follow(false, 30)).toBe(false)
    expect(mic.follow(true, 40)).toBe(false)
    expect(mic.on).toBe(true)
  })

  it('keeps off what was switched off before it opened, however long that took', () => {
    const mic = new DeviceSwitch()
    mic.ask(true, 0)
    mic.ask(false, 100)
    expect(mic.follow(null, 60_000)).toBe(false)
    expect(mic.on).toBe(false)
    expect(mic.follow(true, 60_001)).toBe(true)
    expect(mic.on).toBe(false)
    mic.follow(false, 60_100)
    expect(mic.on).toBe(false)
  })

  it('never claims for long that a live microphone is off', () => {
    const mic = new DeviceSwitch()
    mic.follow(true, 0)
    mic.ask(false, 0)
    expect(mic.follow(true, 4_999)).toBe(true)
    expect(mic.follow(true, 5_000)).toBe(false)
    expect(mic.on).toBe(true)
  })

  it('goes back to off when nothing opens', () => {
    const camera = new DeviceSwitch()
    camera.ask(true, 0)
    expect(camera.follow(null, 10)).toBe(false)
    expect(camera.on).toBe(true)
    camera.follow(null, 5_000)
    expect(camera.on).toBe(false)
    camera.ask(true, 6_000)
    camera.giveUp()
    expect(camera.on).toBe(false)
  })

  it('asks no more for a camera that could not be opened again', () => {
    const camera = new DeviceSwitch()
    camera.follow(false, 0)
    camera.ask(true, 1)
    expect(camera.follow(false, 2)).toBe(true)
    camera.giveUp()
    expect(camera.follow(false, 3)).toBe(false)
    expect(camera.on).toBe(false)
  })

  it('does not give up a wish for silence', () => {
    const mic = new DeviceSwitch()
    mic.ask(false, 0)
    mic.giveUp()
    expect(mic.follow(true, 1)).toBe(true)
  })
})
