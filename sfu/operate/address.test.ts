import { describe, expect, it } from 'vitest'
import { certificateNames, hostName, relayUrl, websocketUrl } from './address.ts'

describe('relayUrl', () => {
  it('is the public URL, else the address listened on, else the one that was asked for', () => {
    const publicUrl = 'https://sfu.example.com/moq'
    const paths: string[] = []
    expect(relayUrl({ host: '0.0.0.0', publicUrl, paths }, 4433, 'a')).toBe(publicUrl)
    const loopback = { host: '127.0.0.1', publicUrl: null, paths }
    expect(relayUrl(loopback, 9, 'a')).toBe('https://127.0.0.1:9')
    expect(relayUrl({ ...loopback, host: '::1' }, 9, 'a')).toBe('https://[::1]:9')
    const all = { host: '::', publicUrl: null, paths }
    expect(relayUrl(all, 9, '192.168.1.5:8080')).toBe('https://192.168.1.5:9')
    expect(relayUrl(all, 9, '[fe80::1]:8080')).toBe('https://[fe80::1]:9')
    expect(relayUrl(all, 9, undefined)).toBe('https://localhost:9')
    expect(relayUrl(all, 9, "x'; script-src *")).toBe('https://localhost:9')
    expect(websocketUrl('https://a:1')).toBe('wss://a:1')
  })

  it('has a path that is served', () => {
    const at = (...paths: string[]) =>
      relayUrl({ host: '127.0.0.1', publicUrl: null, paths }, 9, undefined)
    expect(at('/call', '/other')).toBe('https://127.0.0.1:9/call')
    expect(at('/call', '/')).toBe('https://127.0.0.1:9')
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
