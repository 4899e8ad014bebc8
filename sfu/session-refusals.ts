/**
 * Names for sessions in the log, and one line for each that is refused, with the reason. What a
 * client asked for by name stands in the query of its path: that is not logged.
 */

import type { Logger } from 'pino'
import type { TransportSession } from '../moq/transport/transport.ts'
import { ProtocolError } from '../moq/wire/errors.ts'
import type { SessionEnd } from './admission/index.ts'
import type { Refusal } from './engine/index.ts'
import type { Counters } from './operate/counters.ts'

export class SessionRefusals {
  private readonly log: Logger
  private readonly counters: Pick<Counters, 'sessionsRefused'>
  private readonly ids = new WeakMap<TransportSession, number>()
  private last = 0

  constructor(log: Logger, counters: Pick<Counters, 'sessionsRefused'>) {
    this.log = log
    this.counters = counters
  }

  /** The fields that name a session in the log: a number of this process's, and the peer's address. */
  fieldsOf(session: TransportSession): { readonly session: number; readonly peer: string } {
    let id = this.ids.get(session)
    if (id === undefined) {
      id = ++this.last
      this.ids.set(session, id)
    }
    return { session: id, peer: session.peer }
  }

  /** An engine turned it away. Who is turned away by `SessionGate`, or for a limit, is counted there. */
  byEngine({ kind, path, peer, status, reason }: Refusal): void {
    if (status === 400) this.counters.sessionsRefused.version++
    else if (status === 404 || status === 421) this.counters.sessionsRefused.target++
    const asked = withoutQuery(path)
    this.log.info(
      { session: ++this.last, kind, path: asked, peer, status, reason },
      'session refused',
    )
  }

  /** Its SETUP was not accepted. @returns what to throw on */
  bySetup(session: TransportSession, error: unknown): unknown {
    if (error instanceof ProtocolError) {
      this.counters.sessionsRefused.target++
      const { code, message: reason } = error
      this.log.info({ ...this.fieldsOf(session), code, reason }, 'session refused')
    }
    return error
  }

  /** It had no valid token, or has none any more. */
  byToken(session: TransportSession, { code, cause, reason, wasAdmitted }: SessionEnd): void {
    if (!wasAdmitted) this.counters.sessionsRefused.token++
    const said = wasAdmitted ? 'session ended: its right ended' : 'session refused'
    this.log.info({ ...this.fieldsOf(session), code, cause, reason }, said)
  }
}

function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '')
}
