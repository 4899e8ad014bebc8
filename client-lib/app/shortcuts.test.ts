import { describe, expect, it } from 'vitest'
import { actionOf, type Press, SHORTCUTS } from './shortcuts.ts'

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  ...more,
})

describe('a key', () => {
  it('does what the help says, in either case', () => {
    for (const { key, action } of SHORTCUTS) {
      expect(actionOf(press(key), false)).toBe(action)
      expect(actionOf(press(key.toLowerCase()), false)).toBe(action)
    }
    expect(actionOf(press('x'), false)).toBeNull()
  })

  it('does one thing only', () => {
    expect(new Set(SHORTCUTS.map(({ key }) => key)).size).toBe(SHORTCUTS.length)
    expect(new Set(SHORTCUTS.map(({ action }) => action)).size).toBe(SHORTCUTS.length)
  })

  it('does nothing while a text is written, held down, or with a key of the browser', () => {
    expect(actionOf(press('m'), true)).toBeNull()
    expect(actionOf(press('m', { repeat: true }), false)).toBeNull()
    expect(actionOf(press('c', { ctrlKey: true }), false)).toBeNull()
    expect(actionOf(press('c', { metaKey: true }), false)).toBeNull()
    expect(actionOf(press('s', { altKey: true }), false)).toBeNull()
  })
})
