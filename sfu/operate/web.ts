/**
 * The HTTP server of the call page: the built page, and the two addresses that tell a client where
 * the relay is and which certificate it will meet.
 */

import type { OutgoingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import type { PublicJwk } from '../admission/index.ts'
import { websocketUrl } from './address.ts'
import { type Asset, AssetFolder } from './assets.ts'
import {
  type Address,
  type Answer,
  json,
  type KeyPair,
  type Listening,
  methodNotAllowed,
  type Request,
  startServer,
  text,
} from './http.ts'

/** What `/config.json` says. */
export interface SiteConfig {
  /** `https://host:port`, where a WebTransport session is opened. */
  readonly relay: string
  /** `wss://host:port`, the fallback where UDP is blocked. */
  readonly websocket: string
  /** SHA-256 of the certificates to accept, hex; empty where an authority vouches for them. */
  readonly certificateHashes: readonly string[]
  /** Whether a token is needed. */
  readonly auth: 'none' | 'token'
  /** JWKS of who signs tokens, public keys only; absent where no token is needed. */
  readonly issuerKeys?: { readonly keys: readonly PublicJwk[] }
}

export interface WebServerOptions extends Address {
  /** Folder of the built page. It may be built later or anew while the server runs. */
  readonly directory: string
  /**
   * @param askedFor the `Host` header of the request
   * @param room that the client is about to join, where it says so: `/config.json?room=…`
   */
  readonly site: (askedFor: string | undefined, room: string | null) => SiteConfig
  /** URLs of all relays that the page may be told of. */
  readonly relays: (askedFor: string | undefined) => readonly string[]
  /** SHA-256 of the certificate in use, hex. */
  readonly certificateHash: () => string
  /** Serve over HTTPS with this pair. */
  readonly tls?: KeyPair | null
  readonly log: Logger
}

const notBuilt = 'The call page has not been built. Run `npm run build:app`, then reload.'

/** These two say nothing secret, and pages of other origins need them to join a call. */
const forEveryOrigin = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
}

/** @throws ListenError */
export async function startWebServer(options: WebServerOptions): Promise<Listening> {
  const assets = new AssetFolder(options.directory)
  await assets.refresh()

  const answer = async (request: Request): Promise<Answer> => {
    const { path, method, headers, query } = request
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(['GET', 'HEAD'])
    if (path === '/certificate.sha256') return hashAnswer(options.certificateHash())
    if (path === '/config.json') {
      return json(200, options.site(headers.host, query.get('room')), forEveryOrigin)
    }
    const isPage = path === '/' || path === '/index.html'
    if (isPage) await assets.refresh()
    const asset = assets.get(path)
    if (asset !== undefined) {
      const page = asset.type.startsWith('text/html')
      return serve(request, asset, page ? pageHeaders(options.relays(headers.host)) : {})
    }
    if (isPage && !assets.built) return text(503, notBuilt, { 'retry-after': '5' })
    // Browsers ask for it unasked, and would report an error.
    if (path === '/favicon.ico') return { status: 204 }
    return text(404, 'Not found.')
  }

  return startServer({
    ...options,
    what: 'the call page',
    flags: { host: '--host', port: '--http-port' },
    handler: answer,
    onError: (err) => options.log.error({ err }, 'the call page failed'),
  })
}

function hashAnswer(body: string): Answer {
  return { ...text(200, '', forEveryOrigin), body }
}

function serve(request: Request, asset: Asset, extra: OutgoingHttpHeaders): Answer {
  const gzip = /\bgzip\b/.test(`${request.headers['accept-encoding'] ?? ''}`) ? asset.gzip : null
  const etag = gzip === null ? asset.etag : asset.etag.replace(/"$/, '-gzip"')
  const headers: OutgoingHttpHeaders = {
    'content-type': asset.type,
    'cache-control': asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    'cross-origin-resource-policy': 'same-origin',
    etag,
    ...(asset.gzip === null ? {} : { vary: 'accept-encoding' }),
    ...extra,
  }
  if (matches(request.headers['if-none-match'], etag)) return { status: 304, headers }
  if (gzip === null) return { status: 200, headers, body: asset.body }
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: gzip }
}

/** If-None-Match (RFC 9110 section 13.1.2): weak comparison with a list, or `*`. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some((item) => item.trim().replace(/^W\//, '') === etag)
}

/**
 * What the page may do: run its own scripts and workers, talk to this relay, use camera and
 * microphone; nothing from elsewhere, nothing inline, no frames. It holds the keys of a call.
 */
function pageHeaders(relays: readonly string[]): OutgoingHttpHeaders {
  const connects = relays.flatMap((relay) => [origin(relay), origin(websocketUrl(relay))])
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob: mediastream:",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src 'self' ${connects.join(' ')}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'permissions-policy': permissions,
    'cross-origin-opener-policy': 'same-origin',
    'x-frame-options': 'DENY',
  }
}

/** A source expression with a path would be compared exactly: the origin is what is meant. */
function origin(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

const granted = ['camera', 'microphone', 'display-capture', 'autoplay', 'screen-wake-lock']
const denied = ['geolocation', 'payment', 'usb', 'serial', 'hid', 'midi']
const permissions = [
  ...granted.map((feature) => `${feature}=(self)`),
  ...denied.map((feature) => `${feature}=()`),
].join(', ')
