import { describe, expect, it } from 'vitest'
import type { Peer } from '../relay/index.ts'
import { workerUri, workerUrl } from './addresses.ts'

type Config = Parameters<typeof workerUri>[0]
type Client = Pick<Peer, 'session' | 'setup'>

const ports = [4433, 4434, 7000]
const local: Config = { host: '127.0.0.1', publicUrl: null, paths: [] }
const all: Config = { ...local, host: '0.0.0.0' }
const behind: Config = { ...all, publicUrl: 'https://sfu.example/moq' }

/** What of a client says where it came in. */
function client(kind: 'quic' | 'webtransport', path: string, authority?: string): Client {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const options = [{ type: 1, value: bytes(path) }]
  if (authority !== undefined) options.push({ type: 5, value: bytes(authority) })
  const setup = { type: 'SETUP', options: kind === 'quic' ? options : [] }
  const transport = kind === 'quic' ? { kind, path: '' } : { kind, path, authority }
  return { session: { transport }, setup } as unknown as Client
}

describe('the address of a worker', () => {
  it('has its port, for a browser on the host that it asked for the page', () => {
    expect(workerUrl(local, ports, 2, 'localhost:8080')).toBe('https://127.0.0.1:7000')
    expect(workerUrl(all, ports, 1, 'call.example:8080')).toBe('https://call.example:4434')
    expect(workerUrl({ ...all, paths: ['/call'] }, ports, 1, undefined)).toBe(
      'https://localhost:4434/call',
    )
  })

  it('counts on from the port of a public address', () => {
    expect(workerUrl(behind, ports, 0, 'x')).toBe('https://sfu.example/moq')
    expect(workerUrl(behind, ports, 2, 'x')).toBe('https://sfu.example:445/moq')
    const other = { ...behind, publicUrl: 'https://sfu.example:9000' }
    expect(workerUrl(other, ports, 1, 'x')).toBe('https://sfu.example:9001')
  })

  it('is, for a client of another one, the way by which it came', () => {
    const at = (config: Config, of: Client) => workerUri(config, ports, 1, of)
    expect(at(all, client('webtransport', '/?a=b', 'sfu.example:4433'))).toBe(
      'https://sfu.example:4434/?a=b',
    )
    expect(at(all, client('quic', '/call', '[::1]:4433'))).toBe('moqt://[::1]:4434/call')
    expect(at(local, client('quic', ''))).toBe('moqt://127.0.0.1:4434')
    expect(at(local, client('webtransport', '/', 'evil.example\r\nx'))).toBe(
      'https://127.0.0.1:4434/',
    )
    expect(at(behind, client('quic', '/', '10.0.0.1:4433'))).toBe('moqt://sfu.example:444/moq')
  })

  it('is not known before all workers listen', () => {
    expect(workerUri(all, [], 1, client('quic', '/'))).toBeNull()
  })
})
