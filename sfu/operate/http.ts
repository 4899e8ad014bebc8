/**
 * What the relay's two HTTP servers share: listening with a clear error, limits against slow or
 * noisy peers, answers, and closing at once. A request's body is read only where a handler asks for it.
 */

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Address {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/** A server that listens. */
export interface Listening {
  /** e.g. `http://127.0.0.1:8080`. */
  readonly url: string
  readonly port: number
  /** Stops listening, lets answers under way finish for a moment, then cuts what is left. */
  close(): Promise<void>
  /** Serves new connections with another pair; no effect without HTTPS. */
  setKeyPair(pair: KeyPair): void
}

/** A request without what the servers do not need. */
export interface Request {
  readonly method: string
  /** As sent, e.g. `/assets/a.js`; without the query, not decoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /**
   * Reads the body, as text.
   * @throws BodyError when it is longer than `maxBytes`, is not UTF-8, or ends too early
   */
  body(maxBytes: number): Promise<string>
}

/** A request's body cannot be used. The handler answers with `status` and the message. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface Answer {
  readonly status: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
}

export type Handler = (request: Request) => Answer | Promise<Answer>

/** The server cannot listen. The message is one line for the operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
}
const maxConnections = 1024
/** A peer that takes nothing of its answer for this long is cut off, ms. */
const stalledTimeout = 20_000
/** What `close` gives to answers under way, ms. */
const closeGrace = 500

/** PEM pair for HTTPS. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface ServerOptions extends Address {
  /** e.g. `the call page`, for errors. */
  readonly what: string
  /** The flags that choose the address, for errors. */
  readonly flags: { readonly host: string; readonly port: string }
  readonly handler: Handler
  /** Is told of bugs in `handler` and of connections that could not be accepted. */
  readonly onError: (error: unknown) => void
  /** Serve over HTTPS. */
  readonly tls?: KeyPair | null
}

/**
 * Starts a server.
 * @throws ListenError
 */
export async function startServer(options: ServerOptions): Promise<Listening> {
  const server = makeServer(options)
  await listen(server, options)
  // From here on an error is about one connection, e.g. no file descriptors are left.
  server.on('error', options.onError)
  const bound = (server.address() as AddressInfo).port
  const isTls = 'setSecureContext' in server
  return {
    url: `${isTls ? 'https' : 'http'}://${hostPort(options.host, bound)}`,
    port: bound,
    close: () => close(server),
    setKeyPair: (pair) => {
      if (isTls) server.setSecureContext(pair)
    },
  }
}

function makeServer({ handler, onError, tls = null }: ServerOptions): Server | TlsServer {
  const listener = (message: IncomingMessage, response: ServerResponse) => {
    respond(message, response, handler, onError).catch((error: unknown) => {
      onError(error)
      response.destroy()
    })
  }
  const server =
    tls === null
      ? createServer(limits, listener)
      : createTlsServer({ ...limits, ...tls, handshakeTimeout: 10_000 }, listener)
  server.maxHeadersCount = 100
  server.maxConnections = maxConnections
  server.maxRequestsPerSocket = 1000
  server.timeout = stalledTimeout
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    socket.destroy()
  })
  return server
}

async function respond(
  message: IncomingMessage,
  response: ServerResponse,
  handler: Handler,
  onError: (error: unknown) => void,
): Promise<void> {
  let answer: Answer
  try {
    answer = await handler(toRequest(message))
  } catch (error) {
    onError(error)
    answer = text(500, 'Internal error; see the log of the relay.')
  }
  // A body that nobody reads must not keep the connection in use.
  const { headers } = message
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding']
  const close = hasBody ? { connection: 'close' } : {}
  const body = answer.body ?? ''
  const bodiless = answer.status === 304 || answer.status === 204
  response.writeHead(answer.status, {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    ...(bodiless ? {} : { 'content-length': Buffer.byteLength(body) }),
    ...answer.headers,
    ...close,
  })
  response.end(message.method === 'HEAD' || bodiless ? undefined : body)
}

function toRequest(message: IncomingMessage): Request {
  const url = message.url ?? ''
  const path = url.slice(0, url.search(/[?#]|$/))
  return {
    method: message.method ?? '',
    path,
    query: new URLSearchParams(url.slice(path.length).split('#', 1)[0]),
    headers: message.headers,
    body: (maxBytes) => readBody(message, maxBytes),
  }
}

async function readBody(message: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    // The socket stays: the answer to a body that is too long still goes out on it.
    const whole: AsyncIterable<Buffer> = message.iterator({ destroyOnReturn: false })
    for await (const chunk of whole) {
      size += chunk.length
      if (size > maxBytes) throw new BodyError(413, `The body is longer than ${maxBytes} bytes.`)
      chunks.push(chunk)
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (error) {
    if (error instanceof BodyError) throw error
    throw new BodyError(400, 'The body is not whole or not UTF-8.')
  }
}

/** A short answer for people; not kept by caches. */
export function text(status: number, sentence: string, headers: OutgoingHttpHeaders = {}): Answer {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    },
    body: `${sentence}\n`,
  }
}

/** A JSON answer; not kept by caches. */
export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: `${JSON.stringify(value)}\n`,
  }
}

/** 405 with what would be allowed. */
export function methodNotAllowed(allowed: readonly string[]): Answer {
  const list = allowed.join(', ')
  return text(405, `This address takes ${list} only.`, { allow: list })
}

function listen(server: Server | TlsServer, options: ServerOptions): Promise<void> {
  const { host, port, what } = options
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => {
      const reason = describeListenError(error, options)
      reject(new ListenError(`${what} cannot listen on ${hostPort(host, port)}: ${reason}`))
    }
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}

function describeListenError(error: Error, { flags }: Pick<ServerOptions, 'flags'>): string {
  switch ('code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return `the port is in use; stop the other process or choose a port with ${flags.port}`
    case 'EACCES':
      return `permission denied; choose a port above 1023 with ${flags.port}`
    case 'EADDRNOTAVAIL':
      return `this machine has no such address; choose one with ${flags.host}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name is not known; choose an address with ${flags.host}`
    default:
      return error.message
  }
}

async function close(server: Server | TlsServer): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), closeGrace)
  await closed
  clearTimeout(cut)
}

/** `host:port` with brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
