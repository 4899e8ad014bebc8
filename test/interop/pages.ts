/** Independent libraries in browser pages: builds the pages, serves them from loopback, drives them. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { launchChromium } from '../support/chromium.ts'
import type { GroupRange, InteropClient, Place, Received, RelayAddress, TrackId } from './client.ts'

export type Library = 'moqt' | 'moq-net'

const LIBRARIES: readonly Library[] = ['moqt', 'moq-net']

/** A Chromium with a page of each library. */
export class LibraryPages {
  private readonly browser: Browser
  private readonly origin: string
  private readonly stop: () => Promise<void>
  private readonly pages = new Map<Library, Promise<Page>>()
  private readonly log: string[] = []

  private constructor(browser: Browser, origin: string, stop: () => Promise<void>) {
    this.browser = browser
    this.origin = origin
    this.stop = stop
  }

  static async start(): Promise<LibraryPages> {
    const out = await mkdtemp(join(tmpdir(), 'sotto-interop-'))
    const input = Object.fromEntries(
      LIBRARIES.map((library) => [library, join(import.meta.dirname, `pages/${library}.ts`)]),
    )
    const [browser] = await Promise.all([
      launchChromium(),
      build({
        configFile: false,
        logLevel: 'error',
        build: {
          outDir: out,
          emptyOutDir: true,
          target: 'esnext',
          minify: false,
          rollupOptions: {
            input,
            output: { entryFileNames: '[name].js', chunkFileNames: '[name]-chunk.js' },
          },
        },
      }),
    ])
    const web = createServer(async ({ url = '/' }, response) => {
      const { pathname } = new URL(url, 'http://localhost')
      if (pathname.endsWith('.js')) {
        const script = await readFile(join(out, pathname)).catch(() => null)
        if (script === null) response.writeHead(404).end()
        else response.setHeader('Content-Type', 'text/javascript').end(script)
        return
      }
      response.setHeader('Content-Type', 'text/html')
      response.end(`<!doctype html><script type="module" src="${pathname}.js"></script>`)
    })
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    const { port } = web.address() as AddressInfo
    return new LibraryPages(browser, `http://127.0.0.1:${port}`, async () => {
      await browser.close()
      web.close()
      await rm(out, { recursive: true, force: true })
    })
  }

  /** @param protocols to offer, where the library lets choose */
  async open(library: Library, protocols: readonly string[]): Promise<PageClient> {
    let page = this.pages.get(library)
    if (!page) {
      page = this.load(library)
      this.pages.set(library, page)
    }
    const loaded = await page
    const client = await loaded.evaluate((offered) => globalThis.interop.open(offered), protocols)
    return new PageClient(loaded, client)
  }

  /** What the pages wrote to their consoles, and their errors, since the last time. */
  takeLog(): string[] {
    return this.log.splice(0)
  }

  async close(): Promise<void> {
    await this.stop()
  }

  private async load(library: Library): Promise<Page> {
    const page = await this.browser.newPage()
    page.on('console', (message) => this.log.push(`${library}: ${message.text()}`))
    page.on('pageerror', (error) => this.log.push(`${library}: uncaught ${error.message}`))
    await page.goto(`${this.origin}/${library}`)
    await page.waitForFunction(() => globalThis.interop !== undefined)
    return page
  }
}

/** One client of a library in its page. */
export class PageClient implements InteropClient {
  private readonly page: Page
  private readonly client: number

  constructor(page: Page, client: number) {
    this.page = page
    this.client = client
  }

  connect({ url, certificateHash }: RelayAddress): Promise<string> {
    return this.page.evaluate(
      ({ client, relay }) => globalThis.interop.clients[client]!.connect(relay),
      { client: this.client, relay: { url, certificateHash } },
    )
  }

  publishNamespace(namespace: readonly string[]): Promise<void> {
    return this.page.evaluate(
      ({ client, namespace }) => globalThis.interop.clients[client]!.publishNamespace(namespace),
      { client: this.client, namespace },
    )
  }

  withdrawNamespace(namespace: readonly string[]): Promise<void> {
    return this.page.evaluate(
      ({ client, namespace }) => globalThis.interop.clients[client]!.withdrawNamespace(namespace),
      { client: this.client, namespace },
    )
  }

  serve(track: TrackId): Promise<void> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.serve(track),
      { client: this.client, track },
    )
  }

  wanted(track: TrackId): Promise<void> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.wanted(track),
      { client: this.client, track },
    )
  }

  sendGroup(track: TrackId, group: number, payloads: readonly string[]): Promise<void> {
    return this.page.evaluate(
      ({ client, track, group, payloads }) =>
        globalThis.interop.clients[client]!.sendGroup(track, group, payloads),
      { client: this.client, track, group, payloads },
    )
  }

  sendDatagram(track: TrackId, group: number, object: number, payload: string): Promise<void> {
    return this.page.evaluate(
      ({ client, track, group, object, payload }) =>
        globalThis.interop.clients[client]!.sendDatagram(track, group, object, payload),
      { client: this.client, track, group, object, payload },
    )
  }

  subscribe(track: TrackId): Promise<void> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.subscribe(track),
      { client: this.client, track },
    )
  }

  forward(track: TrackId, forward: boolean): Promise<void> {
    return this.page.evaluate(
      ({ client, track, forward }) => globalThis.interop.clients[client]!.forward(track, forward),
      { client: this.client, track, forward },
    )
  }

  received(track: TrackId): Promise<Received[]> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.received(track),
      { client: this.client, track },
    )
  }

  end(track: TrackId): Promise<void> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.end(track),
      { client: this.client, track },
    )
  }

  ended(track: TrackId): Promise<void> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.ended(track),
      { client: this.client, track },
    )
  }

  subscribeNamespace(prefix: readonly string[]): Promise<void> {
    return this.page.evaluate(
      ({ client, prefix }) => globalThis.interop.clients[client]!.subscribeNamespace(prefix),
      { client: this.client, prefix },
    )
  }

  namespaces(): Promise<string[]> {
    return this.page.evaluate(({ client }) => globalThis.interop.clients[client]!.namespaces(), {
      client: this.client,
    })
  }

  publish(track: TrackId): Promise<void> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.publish(track),
      { client: this.client, track },
    )
  }

  subscribeTracks(prefix: readonly string[]): Promise<void> {
    return this.page.evaluate(
      ({ client, prefix }) => globalThis.interop.clients[client]!.subscribeTracks(prefix),
      { client: this.client, prefix },
    )
  }

  fetch(track: TrackId, range: GroupRange): Promise<Received[]> {
    return this.page.evaluate(
      ({ client, track, range }) => globalThis.interop.clients[client]!.fetch(track, range),
      { client: this.client, track, range },
    )
  }

  joiningFetch(track: TrackId, groups: number): Promise<Received[]> {
    return this.page.evaluate(
      ({ client, track, groups }) =>
        globalThis.interop.clients[client]!.joiningFetch(track, groups),
      { client: this.client, track, groups },
    )
  }

  trackStatus(track: TrackId): Promise<Place | null> {
    return this.page.evaluate(
      ({ client, track }) => globalThis.interop.clients[client]!.trackStatus(track),
      { client: this.client, track },
    )
  }

  goaway(): Promise<void> {
    return this.page.evaluate((client) => globalThis.interop.clients[client]!.goaway(), this.client)
  }

  async close(): Promise<void> {
    await this.page.evaluate((client) => globalThis.interop.clients[client]!.close(), this.client)
  }
}
