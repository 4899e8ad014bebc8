import { expect, it } from 'vitest'
import { lossOf } from './devices-dialog.ts'

it('who loses a device is told what is used now', () => {
  const lost = { deviceId: 'a', reason: 'lost' } as const
  expect(lossOf({ ...lost, kind: 'camera', label: 'Front' })).toBe(
    'The camera was disconnected. “Front” is used now.',
  )
  expect(lossOf({ ...lost, kind: 'microphone', label: '' })).toContain('It is off.')
  expect(lossOf({ ...lost, kind: 'speaker', label: '' })).toContain('where the system says')
})
