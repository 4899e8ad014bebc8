/**
 * A worker: what serves calls, for the rooms that are its own. Its parent tells it what to do and asks how
 * it is; when the parent is gone, it ends.
 */

import type { Logger } from 'pino'
import { CallServer } from '../call-server.ts'
import type { Certificate } from '../certificate/index.ts'
import { debugData, debugPage } from '../operate/debug.ts'
import type { Answer } from '../operate/http.ts'
import { workerUri } from './addresses.ts'
import type { FromWorker, Question, Revocation, ToWorker, WorkerStart } from './messages.ts'
import { placeOfDigest, placeOfNamespace } from './place.ts'

export interface WorkerOptions {
  /** Makes the log of worker `index`. */
  readonly log: (start: WorkerStart) => Logger
  /** Settles when it went out, or cannot any more. */
  readonly send: (message: FromWorker) => Promise<void>
  /** One line for the operator, of what kept it from serving. */
  readonly explain: (error: unknown) => string
  /** It is over. */
  readonly exit: (code: number) => void
}

export class Worker {
  private readonly options: WorkerOptions
  private calls: CallServer | null = null
  private log: Logger | null = null
  private ports: readonly number[] = []
  /** What came while it started waits for that. */
  private ready: Promise<void> = Promise.resolve()
  private ending = false
  private count = 1

  constructor(options: WorkerOptions) {
    this.options = options
  }

  take(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        this.ready = this.start(message)
        break
      case 'ports':
        this.ports = message.ports
        break
      case 'certificate':
        void this.ready.then(() => this.setCertificate(message.certificate))
        break
      case 'reload':
        void this.ready.then(() => this.calls?.admission?.reload())
        break
      case 'ask':
        void this.answer(message.id, message.question)
        break
      case 'drain':
        void this.drain()
        break
      case 'close':
        this.close()
    }
  }

  /** Ends everything at once: the parent said so, or is gone. */
  close(): void {
    if (this.ending) return
    this.ending = true
    const closed = this.calls?.close() ?? Promise.resolve()
    closed.then(
      () => this.options.exit(0),
      (error) => this.failed(error),
    )
  }

  private async start(start: WorkerStart): Promise<void> {
    const { options } = this
    const log = options.log(start)
    this.log = log
    const { index, count, config, ports, certificate, revocations } = start
    this.ports = ports
    this.count = count
    const calls = new CallServer(config, log, {
      revocations,
      placement: {
        placeOf: (namespace, peer) => {
          const place = placeOfNamespace(namespace, count)
          if (place === null) return { kind: 'everywhere' }
          if (place === index) return { kind: 'here' }
          return { kind: 'elsewhere', uri: workerUri(config, this.ports, place, peer) }
        },
      },
      directory: { owns: (digest) => placeOfDigest(digest, count) === index },
    })
    this.calls = calls
    try {
      const port = await calls.start(certificate)
      log.info({ pid: process.pid, port }, 'worker serves')
      await options.send({ type: 'serving', port })
    } catch (error) {
      await options.send({ type: 'failed', reason: options.explain(error) })
      await calls.close()
      options.exit(1)
    }
  }

  private setCertificate(certificate: Certificate): void {
    try {
      this.calls?.setCertificate(certificate)
    } catch (error) {
      this.log?.warn(`a new certificate was not taken: ${this.options.explain(error)}`)
    }
  }

  private async drain(): Promise<void> {
    await this.ready
    try {
      await this.calls?.drain()
      this.close()
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    this.log?.error({ err: error }, 'the worker did not stop in order')
    this.options.exit(1)
  }

  private async answer(id: number, question: Question): Promise<void> {
    await this.ready
    if (!this.calls || this.ending) return
    try {
      const answer = await this.answerOf(question, this.calls)
      await this.options.send({ type: 'answer', id, answer })
    } catch (err) {
      this.log?.error({ err, question: question.kind }, 'the worker has no answer for its parent')
    }
  }

  private answerOf(question: Question, calls: CallServer): unknown {
    switch (question.kind) {
      case 'pulse':
        return true
      case 'not-ready':
        return calls.notReady()
      case 'metrics':
        return calls.metrics.registry.getMetricsAsJSON()
      case 'rooms':
        return calls.viewRooms(question.room, question.room === null ? this.count : 1)
      case 'room-sizes':
        return calls.debug.rooms()
      case 'debug': {
        const form = question.form === 'page' ? debugPage : debugData
        return plain(form(calls.debug, new URLSearchParams({ room: question.room })))
      }
      case 'expiry':
        return calls.admission?.expiryOf(question.revoked) ?? null
      case 'revoke':
        return this.revoke(question.revocation)
    }
  }

  private revoke({ revoked, expires }: Revocation) {
    return this.calls?.admission?.revoke(revoked, expires)
  }
}

/** An answer that can be sent to the parent. */
function plain({ status, headers = {}, body = '' }: Answer) {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)])
  return { status, headers: Object.fromEntries(texts), body: String(body) }
}
