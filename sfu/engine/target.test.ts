import { describe, expect, it } from 'vitest'
import { SessionCode } from '../../moq/wire/codes.ts'
import type { Setup } from '../../moq/wire/messages.ts'
import { ALL_TARGETS, checkSetupTarget, refuseTarget, targetOf } from './target.ts'

function setup(path: string | null, authority: string | null): Setup {
  const bytes = (text: string) => new TextEncoder().encode(text)
  return {
    type: 'SETUP',
    options: [
      ...(path === null ? [] : [{ type: 0x01, value: bytes(path) }]),
      ...(authority === null ? [] : [{ type: 0x05, value: bytes(authority) }]),
    ],
  }
}

describe('the target of a session', () => {
  it('is what SETUP says in PATH and AUTHORITY (sections 10.3.1.1 and 10.3.1.2)', () => {
    expect(targetOf(setup('/call?room=a', 'relay.example:4433'))).toEqual({
      path: '/call?room=a',
      authority: 'relay.example:4433',
    })
    expect(targetOf(setup(null, null))).toEqual({ path: null, authority: null })
    expect(targetOf(setup('', null))).toEqual({ path: '', authority: null })
  })

  it('is any, as long as nothing is configured', () => {
    expect(refuseTarget(ALL_TARGETS, { path: '/x', authority: 'y' })).toBeNull()
  })

  it.each([
    ['/', null],
    ['', null],
    ['/?room=a', null],
    ['?room=a', null],
    ['/call', null],
    ['/call?next=/other', null],
    ['/call/', SessionCode.INVALID_PATH],
    ['/other', SessionCode.INVALID_PATH],
    ['/other?/call', SessionCode.INVALID_PATH],
    [null, null],
  ])('at the path %s is judged alike for both transports', (path, code) => {
    const served = { paths: ['/', '/call'], authorities: [] }
    const refusal = refuseTarget(served, { path, authority: 'relay.example' })
    expect(refusal?.code ?? null).toBe(code)
    expect(refusal?.status ?? null).toBe(code === null ? null : 404)
    const check = () => checkSetupTarget(served, setup(path, 'relay.example'))
    if (code === null) expect(check).not.toThrow()
    else expect(check).toThrow(expect.objectContaining({ code }))
  })

  it.each([
    ['relay.example', null],
    ['RELAY.example:9', null],
    ['[::1]:4433', null],
    ['[::1]', SessionCode.INVALID_AUTHORITY],
    ['other.example', SessionCode.INVALID_AUTHORITY],
    ['relay.example.evil', SessionCode.INVALID_AUTHORITY],
    [null, null],
  ])('of the authority %s is told from ours', (authority, code) => {
    const served = { paths: [], authorities: ['relay.example', '[::1]:4433'] }
    const refusal = refuseTarget(served, { path: '/', authority })
    expect(refusal?.code ?? null).toBe(code)
    expect(refusal?.status ?? null).toBe(code === null ? null : 421)
  })
})
