import { describe, expect, it } from 'vitest'
import { CallOptionsError } from './options.ts'
import { askForToken, readToken } from './token.ts'
import type { TokenRequest } from './types.ts'

const base64url = (text: string) => Buffer.from(text).toString('base64url')
const token = (claims: unknown) =>
  `${base64url('{"alg":"EdDSA"}')}.${base64url(JSON.stringify(claims))}.c2lnbmF0dXJl`

describe('readToken', () => {
  it('reads who the token is for and until when, whatever the letters', () => {
    const text = token({ sub: 'Åda ✓', exp: 1_900_000_000, room: 'demo' })
    expect(readToken(` ${text}\n`)).toEqual({
      text,
      participant: 'Åda ✓',
      expires: 1_900_000_000_000,
      thumbprint: null,
    })
  })

  it('reads which key the token is bound to', () => {
    const thumbprint = (cnf: unknown) => readToken(token({ sub: 'ada', exp: 1, cnf })).thumbprint
    expect(thumbprint({ jkt: 'key' })).toBe('key')
    for (const cnf of [undefined, null, 'key', {}, { jkt: 7 }]) expect(thumbprint(cnf)).toBeNull()
  })

  it.each([
    ['nothing', ''],
    ['a word', 'secret'],
    ['two parts', 'a.b'],
    ['no JSON', `a.${base64url('hello')}.c`],
    ['no object', token('ada')],
    ['null', token(null)],
    ['no sub', token({ exp: 1 })],
    ['no exp', token({ sub: 'ada' })],
    ['an exp of words', token({ sub: 'ada', exp: 'soon' })],
    ['too long', token({ sub: 'a'.repeat(9000), exp: 1 })],
  ])('refuses %s with a sentence that does not quote it', (_, text) => {
    const read = () => readToken(text)
    expect(read).toThrow(CallOptionsError)
    expect(read).toThrow('Ask for a new link or token.')
    try {
      read()
    } catch (error) {
      if (text !== '') expect(String(error)).not.toContain(text)
    }
  })
})

describe('askForToken', () => {
  const request = { thumbprint: 'key', participant: null }

  it('gives the token, or why there is none', async () => {
    const text = token({ sub: 'ada', exp: 1 })
    expect(await askForToken(async () => text, request, 'none')).toMatchObject({
      participant: 'ada',
    })
    expect(await askForToken(async () => 'x', request, 'none')).toMatchObject({
      code: 'token-refused',
    })
    const offline = () => Promise.reject(new Error('offline'))
    const told = { code: 'token-required', message: 'none', detail: 'Error: offline' }
    expect(await askForToken(offline, request, 'none')).toEqual(told)
    const broken = () => {
      throw new Error('broken')
    }
    const echo = async ({ thumbprint }: TokenRequest) =>
      token({ sub: 'ada', exp: 1, cnf: { jkt: thumbprint } })
    expect(await askForToken(echo, request, 'none')).toMatchObject({ thumbprint: 'key' })
    expect(await askForToken(broken, request, 'none')).toMatchObject({ detail: 'Error: broken' })
  })
})
