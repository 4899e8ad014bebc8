import { describe, expect, it } from 'vitest'
import { findRendition, parseTrackName, renditionProperty } from '../../../moq/media/index.ts'
import { camera, PROFILES, tracksOf } from './profile.ts'

describe('a profile', () => {
  it.each(PROFILES)('%s is made of tracks of a call, each once, and has a voice', (profile) => {
    const names = tracksOf(profile, 3, true).map(({ name }) => name)
    expect(names.every((name) => parseTrackName(name) !== null)).toBe(true)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('audio')
  })

  it('of mixed calls has the screen of the first publisher alone', () => {
    expect(tracksOf('mixed', 1, true).map(({ name }) => name)).toEqual([
      'audio',
      'video/0',
      'screen',
    ])
    expect(tracksOf('mixed', 1, false).map(({ name }) => name)).toEqual(['audio', 'video/0'])
  })

  it('has renditions that a relay can read, from the smallest to the largest', () => {
    const facts = camera(3).map((spec) => findRendition([renditionProperty(spec)]))
    expect(facts.map((each) => each?.bitrate)).toEqual([150_000, 500_000, 2_000_000])
    expect(camera(1)[0]).toMatchObject({ name: 'video/0', rendition: 0, bitrate: 500_000 })
  })
})
