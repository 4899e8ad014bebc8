import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Listening } from './http.ts'
import { startWebServer } from './web.ts'

const hash = 'ab'.repeat(32)
const script = `${'export const line = 1\n'.repeat(100)}`
let folder: string
let directory: string
let server: Listening

async function build(name: string): Promise<void> {
  await mkdir(join(directory, 'assets'), { recursive: true })
  await rm(join(directory, 'assets'), { recursive: true })
  await mkdir(join(directory, 'assets'))
  await writeFile(join(directory, 'assets', `${name}-Dk3f9_aB.js`), script)
  await writeFile(join(directory, 'assets', 'style.css'), 'a{}')
  await writeFile(join(directory, 'icon.svg'), '<svg/>')
  await writeFile(join(directory, 'a page.bin'), new Uint8Array([1, 2, 3]))
  await writeFile(join(directory, '.stamp'), 'hidden')
  await writeFile(join(directory, 'index.html'), `<!doctype html><title>${name}</title>`)
}

/** The first line of the answer to a path sent as it is; fetch would tidy it. */
function rawStatus(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1')
    let received = ''
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    socket.on('data', (data) => {
      received += data.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      expect(received).not.toContain('top secret')
      resolve(received.split('\r\n', 1)[0] ?? '')
    })
  })
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-web-'))
  directory = join(folder, 'app')
  await mkdir(directory)
  await writeFile(join(folder, 'secret.txt'), 'top secret')
  server = await startWebServer({
    host: '127.0.0.1',
    port: 0,
    directory,
    site: (askedFor) => ({
      relay: `https://${askedFor?.split(':')[0]}:4433/moq`,
      websocket: 'wss://127.0.0.1:4433',
      certificateHashes: [hash],
      auth: 'none',
    }),
    relays: () => ['https://127.0.0.1:4433/moq', 'https://127.0.0.1:4434/moq'],
    certificateHash: () => hash,
    log: pino({ level: 'silent' }),
  })
})

afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

describe('the call page', () => {
  it('is asked for before it is built', async () => {
    const answer = await fetch(server.url)
    expect(answer.status).toBe(503)
    expect(await answer.text()).toContain('Run `npm run build:app`')
    expect((await fetch(`${server.url}/assets/x.js`)).status).toBe(404)
    await build('first')
    expect((await fetch(server.url)).status).toBe(200)
  })

  it('comes with a strict policy', async () => {
    await build('first')
    const { headers, status } = await fetch(`${server.url}/?room=a&name=b`)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-cache')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; worker-src 'self';")
    expect(policy).toContain(
      "connect-src 'self' https://127.0.0.1:4433 wss://127.0.0.1:4433 https://127.0.0.1:4434 wss://127.0.0.1:4434;",
    )
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(headers.get('permissions-policy')).toContain('camera=(self), microphone=(self)')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
  })

  it('has assets with types, kept for ever if their name is a hash', async () => {
    await build('first')
    await fetch(server.url)
    const kept = 'public, max-age=31536000, immutable'
    const expected: [string, string, string][] = [
      ['/assets/first-Dk3f9_aB.js', 'text/javascript; charset=utf-8', kept],
      ['/assets/style.css', 'text/css; charset=utf-8', 'no-cache'],
      ['/icon.svg', 'image/svg+xml', 'no-cache'],
      ['/a%20page.bin', 'application/octet-stream', 'no-cache'],
    ]
    for (const [path, type, cache] of expected) {
      const { status, headers } = await fetch(`${server.url}${path}`)
      expect([path, status]).toEqual([path, 200])
      expect(headers.get('content-type')).toBe(type)
      expect(headers.get('cache-control')).toBe(cache)
    }
  })

  it('is sent compressed to those who take it, with tags of its own', async () => {
    await build('first')
    await fetch(server.url)
    const url = `${server.url}/assets/first-Dk3f9_aB.js`
    const plain = await fetch(url, { headers: { 'accept-encoding': 'identity' } })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(plain.headers.get('vary')).toBe('accept-encoding')
    expect(await plain.text()).toBe(script)
    const packed = await fetch(url, { headers: { 'accept-encoding': 'br, gzip' } })
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(Number(packed.headers.get('content-length'))).toBeLessThan(script.length / 4)
    expect(await packed.text()).toBe(script) // fetch has unpacked it
    const tags = [plain, packed].map(({ headers }) => headers.get('etag') ?? '')
    expect(tags[0]).not.toBe(tags[1])
    for (const [tag, encoding] of [
      [tags[0], 'identity'],
      [`"other", W/${tags[0]}`, 'identity'],
      [tags[1], 'gzip'],
      ['*', 'gzip'],
    ]) {
      const headers = { 'if-none-match': tag ?? '', 'accept-encoding': encoding ?? '' }
      const again = await fetch(url, { headers })
      expect(again.status).toBe(304)
      expect(await again.text()).toBe('')
    }
    const other = { 'if-none-match': '"other"', 'accept-encoding': 'identity' }
    expect((await fetch(url, { headers: other })).status).toBe(200)
  })

  it('changes with a new build, whose elder parts stay for pages that are open', async () => {
    await build('first')
    await fetch(server.url)
    await build('second')
    expect(await (await fetch(server.url)).text()).toContain('second')
    expect((await fetch(`${server.url}/assets/second-Dk3f9_aB.js`)).status).toBe(200)
    expect((await fetch(`${server.url}/assets/first-Dk3f9_aB.js`)).status).toBe(200)
    await rm(directory, { recursive: true })
    expect(await (await fetch(server.url)).text()).toContain('second')
  })

  it('gives nothing else away', async () => {
    await build('first')
    await fetch(server.url)
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/../../secret.txt',
      '/assets/..%5c..%5csecret.txt',
      '//../secret.txt',
      `/${folder}/secret.txt`,
      `${folder}/secret.txt`,
      '/./secret.txt',
      '/.stamp',
      '/assets',
      '/assets/',
      '/index.html%00.js',
      '/%',
      'http://a/../secret.txt',
      '*',
    ]) {
      expect([path, await rawStatus(path)]).toEqual([path, 'HTTP/1.1 404 Not Found'])
    }
  })

  it('has an empty answer for an icon that is not there', async () => {
    expect((await fetch(`${server.url}/favicon.ico`)).status).toBe(204)
  })

  it('takes GET and HEAD only', async () => {
    await build('first')
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await fetch(server.url, { method })
      expect(answer.status).toBe(405)
      expect(answer.headers.get('allow')).toBe('GET, HEAD')
    }
    const head = await fetch(server.url, { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(10)
    expect(await head.text()).toBe('')
  })
})

describe('what a client must know', () => {
  it('is there for every origin', async () => {
    const config = await fetch(`${server.url}/config.json`)
    expect(await config.json()).toEqual({
      relay: 'https://127.0.0.1:4433/moq',
      websocket: 'wss://127.0.0.1:4433',
      certificateHashes: [hash],
      auth: 'none',
    })
    expect(config.headers.get('content-type')).toBe('application/json')
    const certificate = await fetch(`${server.url}/certificate.sha256`)
    expect(await certificate.text()).toBe(hash)
    for (const { headers } of [config, certificate]) {
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })
})
