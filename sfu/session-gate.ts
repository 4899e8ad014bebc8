import type { Config } from './config.ts'
import type { Admission, SessionRequest } from './engine/index.ts'
import type { Counters } from './operate/counters.ts'
import { countLimit } from './operate/limit-hits.ts'

/**
 * Decides which sessions are let in: as many as configured, in all and from one address, and none
 * while the relay drains.
 */
export class SessionGate {
  private readonly config: Pick<Config, 'maxSessions' | 'maxSessionsPerAddress'>
  private readonly counters: Pick<Counters, 'sessionsRefused' | 'limits'>
  private readonly byAddress = new Map<string, number>()
  private count = 0
  private draining = false
  private onEmpty: () => void = () => {}

  constructor(
    config: Pick<Config, 'maxSessions' | 'maxSessionsPerAddress'>,
    counters: Pick<Counters, 'sessionsRefused' | 'limits'>,
  ) {
    this.config = config
    this.counters = counters
  }

  /** Sessions that were let in and are not closed. */
  get sessions(): number {
    return this.count
  }

  /** Each session let in must be given back by `closed`. */
  admit(request: SessionRequest): Admission {
    if (this.draining) return this.refuse('draining', 503, 'the relay is shutting down')
    const address = addressOf(request.peer)
    const fromThere = this.byAddress.get(address) ?? 0
    if (this.count >= this.config.maxSessions) {
      countLimit(this.counters.limits, 'sessions')
      return this.refuse('limit', 503, `the relay serves ${this.count} sessions, its limit`)
    }
    if (fromThere >= this.config.maxSessionsPerAddress) {
      countLimit(this.counters.limits, 'address-sessions')
      return this.refuse('limit', 429, `${fromThere} sessions from one address, the limit`)
    }
    this.byAddress.set(address, fromThere + 1)
    this.count++
    return { accept: true, protocol: request.protocol }
  }

  /** @param peer `host:port`; a session of this process's own was never let in and is not counted */
  closed(peer: string): void {
    const address = addressOf(peer)
    const fromThere = this.byAddress.get(address)
    if (fromThere === undefined) return
    if (fromThere > 1) this.byAddress.set(address, fromThere - 1)
    else this.byAddress.delete(address)
    if (--this.count === 0) this.onEmpty()
  }

  /** Lets nobody in any more. */
  close(): void {
    this.draining = true
  }

  /** Settles when the last session is gone, or after `timeoutMs`. */
  async whenEmpty(timeoutMs: number): Promise<void> {
    if (this.count === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.onEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private refuse(reason: 'limit' | 'draining', status: number, sentence: string): Admission {
    this.counters.sessionsRefused[reason]++
    return { accept: false, status, reason: sentence }
  }
}

function addressOf(peer: string): string {
  return peer.slice(0, peer.lastIndexOf(':'))
}
