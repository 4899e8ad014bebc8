import { describe, expect, it } from 'vitest'
import { readSessionRequest, readVersions } from './session-request.ts'

describe('readVersions', () => {
  it.each([
    [
      ['moqt-18', 'moqt-19'],
      ['moqt-18', 'moqt-19'],
    ],
    ['"moqt-18", "moqt-19"', ['moqt-18', 'moqt-19']],
    ['"a\\"b\\\\c"', ['a"b\\c']],
    [['moqt-18', 7, null], ['moqt-18']],
    ['moqt-18', []],
    ['"unended', []],
    [undefined, []],
    [{}, []],
  ])('reads %j', (header, versions) => {
    expect(readVersions(header)).toEqual(versions)
  })

  it('reads only so many', () => {
    expect(readVersions(Array(1_000).fill('x')).length).toBe(32)
    expect(readVersions('"x",'.repeat(1_000)).length).toBe(32)
  })
})

describe('readSessionRequest', () => {
  it('takes our most preferred version that the client offers', () => {
    const header = {
      ':path': '/?room=demo',
      host: 'relay:4433',
      origin: 'https://call.example',
      'wt-available-protocols': ['moqt-18', 'moqt-19'],
    }
    expect(
      readSessionRequest({ header, peerAddress: '10.0.0.1:5' }, ['moqt-20', 'moqt-19', 'moqt-18']),
    ).toEqual({
      kind: 'webtransport',
      path: '/?room=demo',
      authority: 'relay:4433',
      origin: 'https://call.example',
      offered: ['moqt-18', 'moqt-19'],
      protocol: 'moqt-19',
      peer: '10.0.0.1:5',
    })
  })

  it('says so where there is none', () => {
    const request = readSessionRequest({ header: {}, peerAddress: 'x' }, ['moqt-18'])
    expect(request).toMatchObject({ protocol: '', path: '/', authority: '', origin: null })
  })
})
