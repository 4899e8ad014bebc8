import { expect, it } from 'vitest'
import { KeysError, UnsupportedSuiteError } from '../../keys/index.ts'
import { keysFailed } from './call-errors.ts'

it('a person is told by name which suite of a room is not supported', () => {
  const error = keysFailed(new UnsupportedSuiteError('p256', new Error('no P-256')))
  expect(error.code).toBe('suite-unsupported')
  expect(error.message).toContain('“p256”')
  expect(error.detail).toContain('no P-256')
  const other = keysFailed(new KeysError('no-answer', 'silence'))
  expect(other.code).toBe('keys-failed')
  expect(other.message).not.toContain('suite')
})
