/**
 * The HTTP server for operators: health, metrics, a view of the rooms, drain and revocation. It has no
 * password and listens on loopback unless told otherwise, so it refuses what a web page in an
 * operator's browser could make it do.
 */

import { isIP } from 'node:net'
import type { Logger } from 'pino'
import { hostName } from './address.ts'
import {
  type Address,
  type Answer,
  json,
  type Listening,
  methodNotAllowed,
  type Request,
  startServer,
  text,
} from './http.ts'
import { answerRevoke, type Revoke } from './revoke.ts'

type MaybePromise<Value> = Value | Promise<Value>

/** What `/metrics` shows, e.g. a registry of prom-client. */
export interface MetricsSource {
  readonly contentType: string
  metrics(): Promise<string>
}

/** `/debug` and `/debug.json`. */
export interface DebugAnswers {
  page(query: URLSearchParams): MaybePromise<Answer>
  data(query: URLSearchParams): MaybePromise<Answer>
}

export interface OpsServerOptions extends Address {
  readonly metrics: MetricsSource
  /** Reasons why new sessions should not be sent here; empty when ready. */
  readonly notReady: () => MaybePromise<readonly string[]>
  /**
   * Plain JSON about the rooms, of bounded length: no names of people, no keys, no media.
   * @param room the only one that is asked for, or null
   */
  readonly rooms: (room: string | null) => MaybePromise<unknown>
  /** What `/debug` shows; null where no media is forwarded. */
  readonly debug: DebugAnswers | null
  /** Begins to drain; calling it again has no effect. */
  readonly drain: () => void
  /** Null where nobody needs a token. */
  readonly revoke: Revoke | null
  readonly log: Logger
}

type Route = Readonly<Record<string, (request: Request) => Answer | Promise<Answer>>>

/** @throws ListenError */
export async function startOpsServer(options: OpsServerOptions): Promise<Listening> {
  const { metrics, notReady, rooms, debug, drain, revoke, log } = options
  /** Number of the last request that is in the log. */
  let request = 0
  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ['/', { GET: () => text(200, [...routes.keys()].join('\n')) }],
    ['/livez', { GET: () => text(200, 'alive') }],
    ['/readyz', { GET: async () => readiness(await notReady()) }],
    ['/metrics', { GET: () => metricsAnswer(metrics) }],
    ['/rooms', { GET: async ({ query }) => json(200, await rooms(query.get('room'))) }],
    ...(debug ? debugRoutes(debug) : []),
    [
      '/drain',
      {
        POST: () => {
          log.info({ request: ++request }, 'drain was asked for over HTTP')
          drain()
          return json(202, { draining: true })
        },
      },
    ],
    [
      '/revoke',
      {
        POST: async (asked) => {
          const id = ++request
          const answer = await answerRevoke(asked, revoke)
          log.info({ request: id, status: answer.status }, 'a revocation was asked for over HTTP')
          return answer
        },
      },
    ],
  ])

  const local = /^(localhost|127\.|::1$)/i.test(options.host)
  const answer = (request: Request): Answer | Promise<Answer> => {
    if (local && !isLocalName(request.headers.host)) {
      return text(421, 'Ask for this server by its address.')
    }
    if (isFromPage(request)) return text(403, 'Web pages may not ask this server.')
    const route = routes.get(request.path)
    if (route === undefined)
      return text(404, `Not found. There are ${[...routes.keys()].join(' ')}`)
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const handle = Object.hasOwn(route, method) ? route[method] : undefined
    return handle?.(request) ?? methodNotAllowed(Object.keys(route))
  }

  return startServer({
    ...options,
    what: 'the ops server',
    flags: { host: '--ops-host', port: '--ops-port' },
    handler: answer,
    onError: (err) => log.error({ err }, 'the ops server failed'),
  })
}

function debugRoutes(debug: DebugAnswers): [string, Route][] {
  return [
    ['/debug', { GET: ({ query }) => debug.page(query) }],
    ['/debug.json', { GET: ({ query }) => debug.data(query) }],
  ]
}

/** A name that an attacker's DNS points at loopback would let a page read this server. */
function isLocalName(header: string | undefined): boolean {
  if (header === undefined) return true // no browser leaves it out
  const name = hostName(header)?.replace(/^\[|\]$/g, '')
  return name !== undefined && (name === 'localhost' || isIP(name) !== 0)
}

/**
 * Browsers say so where a page makes the request (Fetch, Fetch Metadata). Links may be followed, of our own
 * page and of others, such as a dashboard, which see nothing of the answer. But only by a name that nobody
 * else can point at this server: to a page of that name the answer would be its own.
 */
function isFromPage({ method, headers }: Request): boolean {
  const site = headers['sec-fetch-site']
  if (headers.origin !== undefined) return true
  if (site === undefined || site === 'none') return false
  if (headers.host === undefined || !isLocalName(headers.host)) return true
  const isLink =
    headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return site !== 'same-origin' && !(isLink && method === 'GET')
}

function readiness(reasons: readonly string[]): Answer {
  return reasons.length === 0 ? json(200, { ready: true }) : json(503, { ready: false, reasons })
}

async function metricsAnswer(metrics: MetricsSource): Promise<Answer> {
  const headers = { 'content-type': metrics.contentType, 'cache-control': 'no-store' }
  return { status: 200, headers, body: await metrics.metrics() }
}
