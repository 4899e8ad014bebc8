/**
 * The built call page in memory. A path is looked up among the files that were found, never opened,
 * so that no request can reach anything else.
 */

import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface Asset {
  readonly type: string
  readonly body: Buffer
  /** The same, compressed, where that is worth it. */
  readonly gzip: Buffer | null
  /** Strong entity tag of `body`, with quotes. */
  readonly etag: string
  /** The name carries a hash of the contents, so that it may be kept for ever. */
  readonly immutable: boolean
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
}
const compressible = /^text\/|json|svg/
/** Vite's names, e.g. `/assets/main-Dk3f9_aB.js`. */
const hashedName = /^\/assets\/.+-[\w-]{8,}\.\w+(\.map)?$/

type Files = ReadonlyMap<string, Asset>

export class AssetFolder {
  readonly #directory: string
  #files: Files = new Map()
  /** The build before, for pages that were loaded from it and fetch a part later. */
  #former: Files = new Map()
  #loadedIndex = ''
  #loading: Promise<void> | null = null

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Whether there is a page. */
  get built(): boolean {
    return this.#files.has('/index.html')
  }

  /** @param path as in a request, e.g. `/assets/main-Dk3f9_aB.js` */
  get(path: string): Asset | undefined {
    const asset = this.#files.get(path === '/' ? '/index.html' : path)
    if (asset !== undefined) return asset
    const former = this.#former.get(path)
    return former?.immutable ? former : undefined
  }

  /** Reads the folder if there is a new build in it. What was read before stays if there is none. */
  refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  async #load(): Promise<void> {
    const index = await identify(join(this.#directory, 'index.html'))
    if (index === null || index === this.#loadedIndex) return
    const files = new Map<string, Asset>()
    for (const entry of await readdir(this.#directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('.')) continue
      const file = join(entry.parentPath, entry.name)
      const path = `/${relative(this.#directory, file).split(sep).join('/')}`
      files.set(encodeURI(path), toAsset(path, await readFile(file)))
    }
    this.#former = this.#files
    this.#files = files
    this.#loadedIndex = index
  }
}

/** Changes when the file does; null where there is no file. */
async function identify(file: string): Promise<string | null> {
  try {
    const { mtimeMs, ino, size } = await stat(file)
    return `${mtimeMs} ${ino} ${size}`
  } catch {
    return null
  }
}

function toAsset(path: string, body: Buffer): Asset {
  const type = types[extname(path).toLowerCase()] ?? 'application/octet-stream'
  const gzip = compressible.test(type) && body.length > 1024 ? gzipSync(body) : null
  return {
    type,
    body,
    gzip: gzip !== null && gzip.length < body.length ? gzip : null,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    immutable: hashedName.test(path),
  }
}
