import { describe, expect, it } from 'vitest'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import {
  mayPublishNamespace,
  mayPublishTrack,
  maySubscribe,
  maySubscribeNamespace,
  NO_PERMISSIONS,
  permissionsOf,
  unionOf,
} from './permissions.ts'

const alice = permissionsOf('demo', 'alice')

describe('permissions', () => {
  it('lets a participant publish under its own namespace and nowhere else', () => {
    expect(mayPublishNamespace(alice, namespaceOf('sotto', 'demo', 'alice'))).toBe(true)
    expect(mayPublishNamespace(alice, namespaceOf('sotto', 'demo', 'alice', 'x'))).toBe(true)
    const track = trackOf(namespaceOf('sotto', 'demo', 'alice'), 'audio')
    expect(mayPublishTrack(alice, track)).toBe(true)
    for (const fields of [
      ['sotto', 'demo'],
      ['sotto', 'demo', 'bob'],
      ['sotto', 'demo', 'alic'],
      ['sotto', 'demo', 'alicea'],
      ['sotto', 'demo', '.mls'],
      ['sotto', 'other', 'alice'],
      ['alice'],
      [],
    ]) {
      expect(mayPublishNamespace(alice, namespaceOf(...fields)), fields.join('/')).toBe(false)
    }
  })

  it('lets a participant subscribe within its room, the delivery service included', () => {
    expect(maySubscribe(alice, trackOf(namespaceOf('sotto', 'demo', 'bob'), 'audio'))).toBe(true)
    expect(maySubscribe(alice, trackOf(namespaceOf('sotto', 'demo', '.mls'), 'log'))).toBe(true)
    expect(maySubscribe(alice, trackOf(namespaceOf('sotto', 'demo2', 'bob'), 'audio'))).toBe(false)
    expect(maySubscribeNamespace(alice, namespaceOf('sotto', 'demo'))).toBe(true)
    expect(maySubscribeNamespace(alice, namespaceOf('sotto'))).toBe(false)
    expect(maySubscribeNamespace(alice, [])).toBe(false)
  })

  it('adds what the lists say', () => {
    const more = permissionsOf('demo', 'alice', { publish: [['news']], subscribe: [[]] })
    expect(mayPublishNamespace(more, namespaceOf('news', 'today'))).toBe(true)
    expect(mayPublishNamespace(more, namespaceOf('sotto', 'demo', 'alice'))).toBe(true)
    expect(maySubscribeNamespace(more, namespaceOf('anything'))).toBe(true)
    expect(mayPublishNamespace(more, namespaceOf('anything'))).toBe(false)
  })

  it('joins what several tokens allow, and allows nothing without any', () => {
    const both = unionOf([alice, permissionsOf('demo', 'bob')])
    expect(mayPublishNamespace(both, namespaceOf('sotto', 'demo', 'bob'))).toBe(true)
    expect(mayPublishNamespace(both, namespaceOf('sotto', 'demo', 'alice'))).toBe(true)
    expect(unionOf([])).toEqual(NO_PERMISSIONS)
    expect(maySubscribeNamespace(NO_PERMISSIONS, [])).toBe(false)
  })
})
