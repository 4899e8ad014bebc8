import { describe, expect, it } from 'vitest'
import type { Participant, TrackInfo } from '../../index.ts'
import { QualityMeter } from './quality.ts'

const PATH = { rttMs: 30, queueMs: 5 }

function person(track: Partial<TrackInfo>, local = false): Participant {
  const camera = { kind: 'video', muted: false, lastFrameAgeMs: 20, ...track } as TrackInfo
  const security = { alarms: [], alarmNames: [], safetyNumber: '' }
  return { id: 'bob', name: 'Bob', local, speaking: false, tracks: [camera], ...security }
}

/** After ten seconds at 30 frames a second, of which a share is lost. */
function afterLosing(share: number, last: Partial<TrackInfo> = {}) {
  const meter = new QualityMeter()
  for (let second = 0; second <= 10; second++) {
    const framesDropped = Math.round(second * 30 * share)
    const framesDecoded = second * 30 - framesDropped
    const track = { framesDecoded, framesDropped, ...(second === 10 && last) }
    meter.note({ participants: [person(track)], path: PATH }, second * 1000)
  }
  return meter.of('bob')
}

describe('the quality of a connection', () => {
  it.each([
    [0, 'good'],
    [0.02, 'good'],
    [0.08, 'fair'],
    [0.3, 'poor'],
  ])('with a share of %d of the frames lost is %s', (share, quality) => {
    expect(afterLosing(share)).toBe(quality)
  })

  it('is poor when a camera that is on gives nothing, and not known when it is off', () => {
    expect(afterLosing(0, { lastFrameAgeMs: 5000 })).toBe('poor')
    expect(afterLosing(0, { muted: true })).toBeNull()
    expect(afterLosing(0, { lastFrameAgeMs: null })).toBeNull()
  })

  it('forgets what was lost some seconds ago', () => {
    const meter = new QualityMeter()
    const at = (second: number, framesDropped: number) =>
      meter.note(
        { participants: [person({ framesDecoded: second * 30, framesDropped })], path: PATH },
        second * 1000,
      )
    for (let second = 0; second <= 3; second++) at(second, second * 20)
    expect(meter.of('bob')).toBe('poor')
    for (let second = 4; second <= 10; second++) at(second, 60)
    expect(meter.of('bob')).toBe('good')
  })

  it.each([
    [{ rttMs: null, queueMs: null }, null],
    [{ rttMs: 30, queueMs: null }, 'good'],
    [{ rttMs: 250, queueMs: 0 }, 'fair'],
    [{ rttMs: 30, queueMs: 500 }, 'poor'],
  ])('of our own way %j is %s', (path, quality) => {
    const meter = new QualityMeter()
    meter.note({ participants: [person({}, true)], path }, 0)
    expect(meter.of('bob')).toBe(quality)
  })
})
