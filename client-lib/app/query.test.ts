import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  inviteLink,
  nameProblem,
  parseQuery,
  roomProblem,
  tokenFrom,
  withoutToken,
} from './query.ts'

describe('parseQuery', () => {
  it('joins at once with camera and microphone when told so', () => {
    expect(parseQuery('?room=demo&name=Ada&autojoin=1')).toEqual({
      settings: {
        room: 'demo',
        name: 'Ada',
        audio: true,
        video: true,
        transport: 'auto',
        suite: 'x-wing',
        token: null,
      },
      problems: {},
      autojoin: true,
    })
  })

  it('takes every option', () => {
    const { settings, problems } = parseQuery(
      '?room=r&name=n&video=0&audio=0&transport=websocket&suite=classical',
    )
    expect(problems).toEqual({})
    expect(settings).toMatchObject({ audio: false, video: false })
    expect(settings).toMatchObject({ transport: 'websocket', suite: 'classical' })
    expect(parseQuery('?room=r&name=n&suite=p256').settings.suite).toBe('p256')
  })

  it('does not call an untouched form wrong', () => {
    expect(parseQuery('')).toMatchObject({ problems: {}, autojoin: false })
    expect(parseQuery('?room=demo')).toMatchObject({ problems: {}, autojoin: false })
  })

  it.each([
    ['?autojoin=1', ['room', 'name']],
    ['?room=demo&autojoin=1', ['name']],
    ['?room=&name=Ada', ['room']],
    ['?room=.mls&name=Ada', ['room']],
    ['?room=%20&name=%20', ['room', 'name']],
    [`?room=${'a'.repeat(129)}`, ['room']],
    [`?name=${'a'.repeat(65)}`, ['name']],
    ['?room=r&name=n&transport=carrier-pigeon', ['transport']],
    ['?room=r&name=n&suite=rot13', ['suite']],
    ['?room=r&name=n&video=no&audio=', ['audio', 'video']],
  ])('says what is wrong with %s', (search, fields) => {
    const { problems, autojoin } = parseQuery(`${search}&autojoin=1`)
    for (const field of fields) expect(problems).toHaveProperty(field)
    expect(autojoin).toBe(false)
  })

  it('names the value that it does not know, and those that it does', () => {
    const { transport } = parseQuery('?transport=pigeon').problems
    expect(transport).toContain('pigeon')
    expect(transport).toContain('auto or webtransport or websocket')
  })

  it('never throws, and never joins with a problem', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (search) => {
        const { autojoin, problems } = parseQuery(search)
        expect(autojoin && Object.keys(problems).length > 0).toBe(false)
      }),
    )
  })
})

describe('the token', () => {
  it('is taken from the query or the fragment', () => {
    expect(parseQuery('?room=r&token=a.b.c').settings.token).toBe('a.b.c')
    expect(parseQuery('?room=r', '#token=a.b.c').settings.token).toBe('a.b.c')
    expect(parseQuery('?room=r&token=', '#top').settings.token).toBeNull()
  })

  it('is taken from whatever a person pastes', () => {
    expect(tokenFrom(' a.b.c\n')).toBe('a.b.c')
    expect(tokenFrom('https://x.example/?room=r&token=a.b.c')).toBe('a.b.c')
    expect(tokenFrom('https://x.example/?room=r#token=a.b.c')).toBe('a.b.c')
    expect(tokenFrom('https://x.example/?room=r')).toBeNull()
    expect(tokenFrom('  ')).toBeNull()
  })

  it('leaves the address, and nothing else does', () => {
    const page = 'https://x.example/?room=r'
    expect(withoutToken(`${page}&token=a.b.c&name=n`)).toBe(`${page}&name=n`)
    expect(withoutToken(`${page}#token=a.b.c`)).toBe(page)
    expect(withoutToken(`${page}#top`)).toBeNull()
  })
})

describe('roomProblem', () => {
  it('counts bytes, not characters', () => {
    expect(roomProblem('é'.repeat(64))).toBeNull()
    expect(roomProblem('é'.repeat(65))).toContain('130')
  })

  it('keeps dots inside', () => {
    expect(roomProblem('a.b')).toBeNull()
    expect(roomProblem('.a')).not.toBeNull()
  })
})

describe('nameProblem', () => {
  it('takes 1 to 64 characters', () => {
    expect(nameProblem('')).not.toBeNull()
    expect(nameProblem('a'.repeat(64))).toBeNull()
    expect(nameProblem('a'.repeat(65))).toContain('65')
  })
})

describe('inviteLink', () => {
  it('carries the room and nothing of the person', () => {
    const link = inviteLink('https://x.example/?room=old&name=Ada&autojoin=1#top', 'a & b')
    expect(link).toBe('https://x.example/?room=a+%26+b')
    expect(parseQuery(new URL(link).search).settings.room).toBe('a & b')
  })
})
