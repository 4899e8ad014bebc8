import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../certificate/index.ts'
import { type Handler, ListenError, type Listening, startServer, text } from './http.ts'

let servers: Listening[] = []
let errors: unknown[] = []

async function start(handler: Handler, port = 0, host = '127.0.0.1'): Promise<Listening> {
  const flags = { host: '--host', port: '--http-port' }
  const onError = (error: unknown) => errors.push(error)
  const server = await startServer({ host, port, what: 'the page', flags, handler, onError })
  servers.push(server)
  return server
}

/** Sends bytes as they are and returns all that comes back until the server closes. */
function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let received = ''
    socket.on('data', (data) => {
      received += data.toString('latin1')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(received)
      else reject(error)
    })
    socket.on('close', () => resolve(received))
  })
}

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()))
  servers = []
  errors = []
})

describe('startServer', () => {
  it('says in one line that a port is in use, and how to choose another', async () => {
    const first = await start(() => text(200, 'ok'))
    const second = start(() => text(200, 'ok'), first.port)
    await expect(second).rejects.toThrow(ListenError)
    await expect(second).rejects.toThrow(
      `the page cannot listen on 127.0.0.1:${first.port}: the port is in use; ` +
        'stop the other process or choose a port with --http-port',
    )
  })

  it('says that an address is not of this machine', async () => {
    const elsewhere = start(() => text(200, 'ok'), 0, '203.0.113.1')
    await expect(elsewhere).rejects.toThrow('no such address; choose one with --host')
  })

  it('brackets an IPv6 address', async () => {
    const server = await start(() => text(200, 'ok'), 0, '::1').catch(() => null)
    if (server === null) return // a machine without IPv6
    expect(server.url).toBe(`http://[::1]:${server.port}`)
    expect(await (await fetch(server.url)).text()).toBe('ok\n')
  })

  it('answers a bug with 500 and goes on', async () => {
    let calls = 0
    const server = await start(() => {
      if (calls++ === 0) throw new Error('secret detail')
      return text(200, 'fine')
    })
    const first = await fetch(server.url)
    expect(first.status).toBe(500)
    expect(await first.text()).not.toContain('secret')
    expect(errors).toHaveLength(1)
    expect((await fetch(server.url)).status).toBe(200)
  })

  it('cuts the connection where an answer cannot be sent, and goes on', async () => {
    const server = await start(({ path }) => {
      return text(200, 'ok', path === '/bad' ? { 'x-name': 'a\r\nb: c' } : {})
    })
    await expect(fetch(`${server.url}/bad`)).rejects.toThrow()
    expect(errors).toHaveLength(1)
    expect((await fetch(server.url)).status).toBe(200)
  })

  it('hands over the path without query, undecoded, and answers HEAD without a body', async () => {
    const server = await start(({ method, path }) => text(200, `${method} ${path}`))
    expect(await (await fetch(`${server.url}/a%2e%2e/b?c=/d#e`)).text()).toBe('GET /a%2e%2e/b\n')
    const head = await fetch(`${server.url}/x`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe('8')
    expect(head.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await head.text()).toBe('')
  })

  it('closes at once with idle keep-alive connections and silent peers', async () => {
    const server = await start(() => text(200, 'ok'))
    await fetch(server.url) // leaves its connection open
    const silent = await new Promise<Socket>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => resolve(socket))
    })
    silent.on('error', () => {})
    silent.write('GET / HT')
    const before = performance.now()
    await server.close()
    expect(performance.now() - before).toBeLessThan(3000)
    await server.close() // again has no effect
    silent.destroy()
    await expect(fetch(server.url)).rejects.toThrow()
  })

  it('lets an answer under way finish', async () => {
    const asked = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const server = await start(async () => {
      asked.resolve()
      await release.promise
      return text(200, 'late')
    })
    const answer = new Promise<string>((resolve, reject) => {
      const sent = request(server.url, (response) => {
        response.on('data', (data: Buffer) => resolve(data.toString()))
      })
      sent.on('error', reject)
      sent.end()
    })
    await asked.promise
    const closed = server.close()
    release.resolve()
    expect(await answer).toBe('late\n')
    await closed
  })

  it('survives noise', async () => {
    const server = await start(() => text(200, 'ok'))
    const noise = [
      'hello\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
      new Uint8Array(4096).map((_, index) => (index * 131) & 255),
      'GET / HTTP/9.9\r\n\r\n',
      'GET  HTTP/1.1\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nx\u0000y: z\r\n\r\n',
    ]
    for (const bytes of noise) {
      const received = await exchange(server.port, bytes)
      expect(received === '' || /^HTTP\/1\.1 4\d\d /.test(received), received).toBe(true)
    }
    expect((await fetch(server.url)).status).toBe(200)
    expect(errors).toEqual([])
  })

  it('does not wait for a body that it does not want', async () => {
    const server = await start(() => text(200, 'ok'))
    const bytes = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nabc'
    const received = await exchange(server.port, bytes)
    expect(received).toMatch(/^HTTP\/1\.1 200 OK.*connection: close/is)
  })

  it('serves HTTPS and takes another pair while it runs', async () => {
    const [one, two] = [await makeSelfSigned([], Date.now()), await makeSelfSigned([], Date.now())]
    const server = await startServer({
      host: '127.0.0.1',
      port: 0,
      what: 'the page',
      flags: { host: '--host', port: '--http-port' },
      handler: () => text(200, 'ok'),
      onError: (error) => errors.push(error),
      tls: one,
    })
    servers.push(server)
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`)
    expect(await fingerprint(server.port)).toBe(one.sha256)
    server.setKeyPair(two)
    expect(await fingerprint(server.port)).toBe(two.sha256)
    await exchange(server.port, 'GET / HTTP/1.1\r\n\r\n')
    expect(await fingerprint(server.port)).toBe(two.sha256)
  })
})

async function fingerprint(port: number): Promise<string> {
  const tls = await import('node:tls')
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase())
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
