import { describe, expect, it } from 'vitest'
import type { Participant, TrackInfo } from '../../index.ts'
import { keyOf, picturesOf, titleOf } from './pictures.ts'

function person(id: string, kinds: readonly TrackInfo['kind'][], local = false): Participant {
  const tracks = kinds.map((kind) => ({ kind }) as TrackInfo)
  const security = { alarms: [], alarmNames: [], safetyNumber: '' }
  return { id, name: id.toUpperCase(), local, speaking: false, tracks, ...security }
}

describe('what there is to be seen', () => {
  it('is everybody, with a camera or without, and the screens of others beside them', () => {
    const pictures = picturesOf([
      person('ann', ['video', 'screen'], true),
      person('bob', ['audio']),
      person('cem', ['video', 'screen', 'screen-audio']),
    ])
    expect(pictures.map(keyOf)).toEqual(['camera ann', 'camera bob', 'camera cem', 'screen cem'])
    expect(pictures.map(titleOf)).toEqual(['ANN (you)', 'BOB', 'CEM', 'Screen of CEM'])
  })

  it('is somebody while the name is not known', () => {
    const nameless = { ...person('x', []), name: '' }
    expect(titleOf({ source: 'camera', participant: nameless })).toBe('Somebody')
  })
})
