import { describe, expect, it } from 'vitest'
import { certificateNames, hostName, relayUrl, websocketUrl } from './address.ts'

describe('relayUrl', () => {
  it('is the public URL, else the address listened on, else the one that was asked for', () => {
    const publicUrl = 'https://sfu.example.com/moq'
    expect(relayUrl({ host: '0.0.0.0', publicUrl }, 4433, 'a')).toBe(publicUrl)
    expect(relayUrl({ host: '127.0.0.1', publicUrl: null }, 9, 'a')).toBe('https://127.0.0.1:9')
    expect(relayUrl({ host: '::1', publicUrl: null }, 9, 'a')).toBe('https://[::1]:9')
    const all = { host: '::', publicUrl: null }
    expect(relayUrl(all, 9, '192.168.1.5:8080')).toBe('https://192.168.1.5:9')
    expect(relayUrl(all, 9, '[fe80::1]:8080')).toBe('https://[fe80::1]:9')
    expect(relayUrl(all, 9, undefined)).toBe('https://localhost:9')
    expect(relayUrl(all, 9, "x'; script-src *")).toBe('https://localhost:9')
    expect(websocketUrl('https://a:1')).toBe('wss://a:1')
  })
})

describe('hostName', () => {
  it('takes nothing that could leave a header or URL', () => {
    for (const bad of [
      '',
      'a b',
      'a;b',
      'a@b',
      'a/b',
      'a:b',
      '[a',
      '[1]]',
      'a:123456',
      'ä',
      'a,b',
    ]) {
      expect(hostName(bad), bad).toBeNull()
    }
    expect(hostName('SFU.Example.com:80')).toBe('sfu.example.com')
    expect(hostName('[::1]:80')).toBe('[::1]')
  })
})

describe('certificateNames', () => {
  it('are those a browser may use', () => {
    expect(certificateNames({ host: '10.0.0.1', publicUrl: null })).toEqual(['10.0.0.1'])
    const publicUrl = 'https://[2001:db8::1]:4433'
    expect(certificateNames({ host: '0.0.0.0', publicUrl })).toEqual(['2001:db8::1'])
  })
})
