import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rememberedTransport, rememberTransport } from './transport-memory.ts'

const HOUR = 3_600_000
const RELAY = 'https://relay.example:4433/?room=demo'

describe('the transport that worked with a relay', () => {
  beforeEach(() => {
    const kept = new Map<string, string>()
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    })
  })
  afterEach(() => vi.unstubAllGlobals())

  it('is remembered for an hour, for that relay and whatever the rest of its address', () => {
    rememberTransport(RELAY, 'websocket', 1000)
    expect(rememberedTransport('https://relay.example:4433/', 1000 + HOUR)).toBe('websocket')
    expect(rememberedTransport(RELAY, 1001 + HOUR)).toBeNull()
    expect(rememberedTransport(RELAY, 999)).toBeNull()
    expect(rememberedTransport('https://relay.example/', 1000)).toBeNull()
  })

  it('is unknown where nothing may be stored, or something else was', () => {
    localStorage.setItem('sotto-transport:relay.example:4433', 'pigeon 1000')
    expect(rememberedTransport(RELAY, 1000)).toBeNull()
    vi.stubGlobal('localStorage', undefined)
    expect(rememberedTransport(RELAY, 1000)).toBeNull()
    expect(() => rememberTransport(RELAY, 'websocket', 1000)).not.toThrow()
  })
})
