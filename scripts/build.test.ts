/** Real parts: the compiler, Vite, npm's packing list, and the Node that runs npm. */

import { execFile } from 'node:child_process'
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from './build.ts'

const home = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)
/** The machine's own Node where npm runs the tests; it may be older than the one that builds. */
const consumerNode = process.env.npm_node_execpath ?? process.execPath

let folder: string
let published: string
let consumer: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-package-'))
  published = join(folder, 'package')
  consumer = join(folder, 'consumer')
  await mkdir(join(consumer, 'node_modules'), { recursive: true })
  await mkdir(published)
  await copyFile(join(home, 'package.json'), join(published, 'package.json'))
  await symlink(join(home, 'node_modules'), join(published, 'node_modules'))
  await symlink(published, join(consumer, 'node_modules/sotto'))
  await writeFile(join(consumer, 'package.json'), '{ "type": "module" }')
  await buildPackage({ outDir: join(published, 'dist'), quiet: true })
}, 60_000)

afterAll(() => rm(folder, { recursive: true }))

async function publishedFiles(): Promise<string[]> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await run('npm', args, { cwd: published })
  const [packed] = Object.values(JSON.parse(stdout)) as { files: { path: string }[] }[]
  return packed!.files.map(({ path }) => path).sort()
}

async function builtFiles(extension: string): Promise<string[]> {
  const names = await readdir(join(published, 'dist'), { recursive: true })
  return names.filter((name) => name.endsWith(extension)).map((name) => join('dist', name))
}

async function typeCheck(source: string): Promise<void> {
  await writeFile(join(consumer, 'main.ts'), source)
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
  }
  const project = join(consumer, 'tsconfig.json')
  await writeFile(project, JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  const tsc = join(home, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', project]).catch((error) => {
    throw new Error(error.stdout)
  })
}

describe('the package', () => {
  it('has every file that its exports name, and nothing but what it needs', async () => {
    const { exports } = JSON.parse(await readFile(join(published, 'package.json'), 'utf8'))
    const files = await publishedFiles()
    const named = Object.values(exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target as Record<string, string>),
    )
    expect(named.length).toBeGreaterThan(8)
    for (const target of named) expect(files).toContain(target.replace('./', ''))
    const expected = /^(package\.json|LICENSE|README\.md|dist\/(client-lib|moq|sframe)\/.*)$/
    expect(files.filter((file) => !expected.test(file))).toEqual([])
    expect(files.filter((file) => /test|example|arbitraries|fake/.test(file))).toEqual([])
  }, 30_000)

  it('names no path of the machine that built it', async () => {
    for (const file of [...(await builtFiles('.js')), ...(await builtFiles('.map'))]) {
      const text = await readFile(join(published, file), 'utf8')
      expect(text.includes(home) || text.includes(folder), file).toBe(false)
      expect(text, file).not.toMatch(/file:\/\/\/|"sources":\["(?!sotto:\/\/\/)/)
    }
  })

  it('imports between its modules by the names that they have when built', async () => {
    const files = [...(await builtFiles('.js')), ...(await builtFiles('.d.ts'))]
    expect(files.length).toBeGreaterThan(100)
    for (const file of files) {
      const text = await readFile(join(published, file), 'utf8')
      expect(text, file).not.toMatch(/(from|import\() ?'\.[^']*\.ts'/)
    }
  })

  it('type-checks in a program with plain bundler resolution', async () => {
    await typeCheck(`
      import { type Call, joinCall, type Snapshot } from 'sotto/client'
      import type { SottoCallElement } from 'sotto/element'
      import { createTransportPair, encodeDatagram, ProtocolError, Session } from 'sotto/moq'
      import { ConnectError, connect } from 'sotto/moq/node'
      import { decodeHeader, encodeHeader, type SFrameHeader } from 'sotto/sframe'
      import { nodeProvider } from 'sotto/sframe/node'

      const call: Call = joinCall({ url: 'https://relay.example/', room: 'demo', name: 'Ada' })
      call.on('state', (state: 'joining' | 'connected' | 'reconnecting' | 'left' | 'failed') => state)
      const code: Snapshot['verificationCode'] = call.snapshot().verificationCode
      const element: SottoCallElement = document.createElement('sotto-call')
      element.token = async ({ thumbprint }) => thumbprint
      const { client } = createTransportPair()
      const session = new Session(client, { role: 'client', handler: {} })
      const header: SFrameHeader = decodeHeader(encodeHeader(1, 2))
      const name: string = nodeProvider.name
      const remote: Promise<Session> = connect('moqt://relay.example/', { handler: {} })
      remote.catch((error) => error instanceof ConnectError && error.kind === 'refused')
      export { code, encodeDatagram, header, name, ProtocolError, session }
      // @ts-expect-error: an option that is not there
      joinCall({ url: '', room: '', name: '', noSuchOption: true })
    `)
  })

  it('speaks MoQT and SFrame in the Node that a consumer has', async () => {
    await writeFile(
      join(consumer, 'round-trip.js'),
      `import { createTransportPair, namespaceOf, Session, TrackPublisher, trackOf } from 'sotto/moq'
       import { ReceiverContext, SenderContext, suites, webCryptoProvider } from 'sotto/sframe'
       import { nodeProvider } from 'sotto/sframe/node'

       const suite = suites.AES_256_GCM_SHA512_128
       const baseKey = new Uint8Array(32).fill(7)
       const sender = await SenderContext.create({ provider: nodeProvider, suite, kid: 3, baseKey })
       const receiver = new ReceiverContext({ provider: webCryptoProvider, suite })
       await receiver.installKey(3, baseKey)
       const payload = await sender.encrypt(new TextEncoder().encode('a frame'))

       const { client, server } = createTransportPair()
       const track = new TrackPublisher({ trackAlias: 1, priority: 10 })
       new Session(server, { role: 'server', handler: { onSubscribe: (r) => track.accept(r) } })
       const session = new Session(client, { role: 'client', handler: {} })
       const object = { group: 0, object: 0, properties: new Uint8Array(0), payload }
       const received = await new Promise((resolve) => {
         session.subscribe(trackOf(namespaceOf('sotto', 'demo'), 'audio'), {}, {
           onAccepted: () => track.writeStream(0, object),
           onObject: (received) => resolve(received.payload),
         })
       })
       console.log(new TextDecoder().decode(await receiver.decrypt(received)))
       session.close(0, 'done')
       process.exit()`,
    )
    const { stdout } = await run(consumerNode, [join(consumer, 'round-trip.js')])
    expect(stdout).toBe('a frame\n')
  })

  it('has a client that needs nothing but its two neighbours', async () => {
    const client = join(published, 'dist/client-lib')
    const scripts = (await readdir(client)).filter((name) => name.endsWith('.js'))
    expect(scripts.sort()).toEqual([
      'call-worker.js',
      'capture-worklet.js',
      'element.js',
      'index.js',
      'picture-worker.js',
      'playout-worklet.js',
    ])
    const fromEntry = /\bimport\{[^}]*\}from["'`]\.\/index\.js["'`];/
    expect(await readFile(join(client, 'element.js'), 'utf8')).toMatch(fromEntry)
    for (const script of scripts) {
      const code = (await readFile(join(client, script), 'utf8')).replace(fromEntry, '')
      expect(code, script).not.toMatch(
        /\bimport\s*[{*"'`\w][^;(]*?from\s*["'`]|__SOTTO|\bimport\(["'`]/,
      )
    }
    const entry = await readFile(join(client, 'index.js'), 'utf8')
    const url = (name: string) =>
      new RegExp(`new URL\\(["'\`]\\./${name}["'\`],\\s*import\\.meta\\.url\\)`)
    expect(entry).toMatch(url('call-worker\\.js'))
    expect(entry).toMatch(url('picture-worker\\.js'))
    expect(entry).toMatch(url('playout-worklet\\.js'))
  })

  it('takes its worker and worklet along into an application that Vite bundles', async () => {
    await writeFile(
      join(consumer, 'index.html'),
      '<script type="module">import { joinCall } from "sotto/client"; import "sotto/element"; joinCall({})</script>',
    )
    const outDir = join(consumer, 'dist')
    await build({
      root: consumer,
      configFile: false,
      logLevel: 'error',
      worker: { format: 'es' },
      build: { outDir, assetsInlineLimit: 0 },
    })
    const assets = await readdir(join(outDir, 'assets'))
    for (const name of ['call-worker', 'picture-worker', 'playout-worklet', 'index']) {
      expect(assets.filter((asset) => asset.startsWith(name))).toHaveLength(1)
    }
  })
})

describe('the command', () => {
  it('exits with 1 and one line on an argument', async () => {
    const script = fileURLToPath(new URL('./build.ts', import.meta.url))
    await expect(run(process.execPath, [script, '--fast'])).rejects.toMatchObject({
      code: 1,
      stderr: 'build: unknown argument --fast; there is none\n',
    })
  })
})
