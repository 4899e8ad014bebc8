/**
 * Keeps the call connected: one connection at a time, and for a moment two. A lost one is replaced by
 * tries that begin at once and go on for minutes; one that falls silent, or whose relay goes away
 * (GOAWAY, draft-18 section 10.4), serves until another one is there. Where a relay says that the room is
 * elsewhere (REDIRECT, section 10.6.1), it is gone to at once.
 */

import type { Clock } from '../../../moq/session/index.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { Goaway, RequestError } from '../../../moq/wire/messages.ts'
import type { CallError } from '../types.ts'
import { Backoff, type BackoffSettings } from './backoff.ts'
import type { ConnectionWatcher } from './relay-connection.ts'

/** What is needed of a `RelayConnection`. */
export interface Keepable {
  readonly session: { readonly closed: boolean }
  readonly established: boolean
  readonly silent: boolean
  watcher: ConnectionWatcher | null
  check(): void
  close(reason: string): void
}

/** One try of a new connection. */
export interface Try {
  /** Counts from 0 since the last good connection. */
  readonly number: number
  /** Where a relay sent us, of another one or as it goes away; null: where the call began. */
  readonly url: string | null
  readonly signal: AbortSignal
}

/** What becomes of a failed try: `final` ends the call. */
export interface Verdict {
  readonly error: CallError
  readonly final: boolean
}

export interface ReconnectorOptions<Connection extends Keepable> {
  readonly clock: Clock
  /** 0..1 */
  readonly random: () => number
  readonly settings?: Partial<ReconnectorSettings>
  /** Rejects where there is no connection to be had now; null: it is not tried now. */
  readonly dial: (attempt: Try) => Promise<Connection | null>
  readonly judgeDial: (error: unknown) => Verdict
  readonly judgeClose: (info: CloseInfo) => Verdict
  readonly judgeRefusal: (error: RequestError) => Verdict
  /** Everything goes on over this connection. */
  readonly onAdopted: (connection: Connection) => void
  /** A connection is over; another one may have taken its place. */
  readonly onOver: (connection: Connection) => void
  /** Whether the call is without a connection that works. */
  readonly onLost: (lost: boolean) => void
  /** The former connection still serves something. */
  readonly isMoving: () => boolean
  readonly onFailed: (error: CallError) => void
}

export interface ReconnectorSettings extends BackoffSettings {
  /** Tries go on for so long, ms. */
  readonly giveUpMs: number
  /** A relay that lets us in does so within this, ms. */
  readonly establishMs: number
  /** A connection that lasted this long, ms, was good: tries count anew. */
  readonly stableMs: number
  /** A relay that goes away is left within this, ms, so that its callers do not all come at once. */
  readonly leaveWithinMs: number
  /** What a connection that is left has to finish takes so long, ms: at least, and at most. */
  readonly overlapMs: number
  readonly mostOverlapMs: number
}

export const DEFAULT_RECONNECT = {
  giveUpMs: 5 * 60_000,
  establishMs: 3000,
  stableMs: 10_000,
  leaveWithinMs: 500,
  overlapMs: 2500,
  mostOverlapMs: 8000,
} as const

/** Tries where a relay sent us before it is where the call began again. */
const TRIES_ELSEWHERE = 3
/** Redirects that are followed before a relay lets us in: they may lead in a circle. */
const MOST_REDIRECTS = 8
const LOOK_MS = 100
/** Callers of one relay that is gone do not all come at once: they begin within this, ms. */
const SPREAD_MS = 100
/** A try is not given up for another one that soon, ms. */
const HURRY_MS = 300

export class Reconnector<Connection extends Keepable> {
  private readonly options: ReconnectorOptions<Connection>
  private readonly settings: Omit<ReconnectorSettings, keyof BackoffSettings>
  private readonly clock: Clock
  private readonly backoff: Backoff
  private current: Connection | null = null
  /** On its way to take the place of `current`. */
  private next: Connection | null = null
  /** Left, but not closed yet. */
  private readonly former = new Set<Connection>()
  private url: string | null = null
  private goneAway = false
  private redirects = 0
  private dialling: AbortController | null = null
  private tries = 0
  private lastError: CallError = NEVER_BACK
  /** Since when there are tries; null: there are none. */
  private since: number | null = null
  private dialledAt = Number.NEGATIVE_INFINITY
  /** A relay has let us in. */
  private worked = false
  private lost = false
  private over = false
  private stopTry: () => void = () => {}
  private stopStable: () => void = () => {}
  private stopEstablish: () => void = () => {}

  constructor(options: ReconnectorOptions<Connection>) {
    this.options = options
    this.clock = options.clock
    this.settings = { ...DEFAULT_RECONNECT, ...options.settings }
    this.backoff = new Backoff(options.random, options.settings)
  }

  /** The connection that everything goes over, or last went. */
  get connection(): Connection | null {
    return this.current
  }

  /** The first connection of the call; it is used before it is established. */
  begin(connection: Connection): void {
    this.watch(connection)
    this.current = connection
    this.options.onAdopted(connection)
  }

  /** The machine woke up, or has a network again, perhaps another one. */
  hurry(): void {
    if (this.over || this.current === null) return
    if (!this.current.session.closed) this.current.check()
    if (this.since === null || this.goneAway) return
    this.backoff.reset()
    // A try that began without a network may wait for long; another one need not.
    if (this.clock.now() - this.dialledAt >= HURRY_MS) this.tryNow()
  }

  /** Final. @param reason for the relay */
  close(reason: string): void {
    if (this.over) return
    this.over = true
    this.cancelTries()
    this.stopStable()
    const connections = [this.current, ...this.former]
    this.former.clear()
    for (const connection of connections) connection?.close(reason)
  }

  // ---- what connections tell

  private watch(connection: Connection): void {
    connection.watcher = {
      onEstablished: () => {
        this.worked = true
        this.redirects = 0
        if (connection === this.next) this.adopt(connection)
      },
      onRefused: (error) => this.onRefused(connection, error),
      onClosed: (info) => this.onClosed(connection, info),
      onSilent: (silent) => this.onSilent(connection, silent),
      onGoaway: (goaway) => this.onGoaway(connection, goaway),
    }
  }

  private onRefused(connection: Connection, error: RequestError): void {
    if (this.over || this.former.has(connection)) return
    const uri = this.redirects < MOST_REDIRECTS ? redirectOf(error) : null
    if (uri !== null) {
      this.goTo(connection, uri)
      return
    }
    const { error: told, final } = this.options.judgeRefusal(error)
    // At the join there is nothing to go on with.
    if (final || !this.worked) this.fail(told)
    else if (connection === this.next) this.dropNext(told)
  }

  /** The relay of this connection has sent us elsewhere. */
  private goTo(connection: Connection, uri: string): void {
    if (connection !== this.current && connection !== this.next) return
    this.redirects++
    this.url = uri
    this.since ??= this.clock.now()
    if (connection === this.current) {
      this.stopStable()
      connection.watcher = null
      connection.close('the relay sent us elsewhere')
      this.options.onOver(connection)
      this.goneAway = false
      if (this.worked) this.setLost(true)
    }
    // Whatever else is under way goes with it.
    this.tryNow()
  }

  private onClosed(connection: Connection, info: CloseInfo): void {
    if (this.over) return
    if (this.former.delete(connection)) {
      this.options.onOver(connection)
      return
    }
    const { error, final } = this.options.judgeClose(info)
    if (connection === this.next) {
      if (final) this.fail(error)
      else this.dropNext(error)
      return
    }
    if (connection !== this.current) return
    this.stopStable()
    this.options.onOver(connection)
    if (final || !this.worked) this.fail(error)
    else {
      this.goneAway = false
      this.setLost(true)
      this.startTries()
    }
  }

  private onSilent(connection: Connection, silent: boolean): void {
    if (this.over || connection !== this.current || this.goneAway) return
    if (silent) {
      this.setLost(true)
      this.startTries()
    } else if (!connection.session.closed) {
      this.cancelTries()
      this.setLost(false)
    }
  }

  private onGoaway(connection: Connection, { newSessionUri }: Goaway): void {
    if (this.over || connection !== this.current) return
    if (newSessionUri !== '' && isUsable(newSessionUri)) this.url = newSessionUri
    this.goneAway = true
    this.tries = 0
    this.startTries(this.options.random() * this.settings.leaveWithinMs)
  }

  // ---- tries

  /** At once; but a relay that lets us go again and again is given time. */
  private startTries(
    afterMs = this.tries === 0 ? this.options.random() * SPREAD_MS : this.backoff.next(0),
  ): void {
    if (this.since !== null) return
    this.since = this.clock.now()
    this.stopTry = this.clock.after(afterMs, () => this.tryNow())
  }

  private tryNow(): void {
    const { dial, judgeDial } = this.options
    this.abandonTry()
    const dialling = new AbortController()
    this.dialling = dialling
    this.dialledAt = this.clock.now()
    const number = this.tries++
    if (number === TRIES_ELSEWHERE) this.url = null
    dial({ number, url: this.url, signal: dialling.signal }).then(
      (connection) => {
        if (this.dialling !== dialling || this.over) {
          connection?.close('another one was there first')
          return
        }
        this.dialling = null
        if (connection) this.onDialled(connection)
        else this.onNotTried()
      },
      (error) => {
        if (this.dialling !== dialling || this.over) return
        this.dialling = null
        this.onTryFailed(judgeDial(error))
      },
    )
  }

  private onNotTried(): void {
    this.tries--
    this.onTryFailed({ error: this.lastError, final: false })
  }

  private onDialled(connection: Connection): void {
    this.next = connection
    this.watch(connection)
    if (connection.established) {
      this.adopt(connection)
      return
    }
    this.stopEstablish = this.clock.after(this.settings.establishMs, () =>
      this.dropNext({
        code: 'disconnected',
        message: 'The relay answers, but does not let us in again. Try again later.',
      }),
    )
  }

  private dropNext(error: CallError): void {
    const { next } = this
    this.stopEstablish()
    this.next = null
    if (!next) return
    next.watcher = null
    next.close('it was of no use')
    this.options.onOver(next)
    this.onTryFailed({ error, final: false })
  }

  private onTryFailed({ error, final }: Verdict): void {
    this.lastError = error
    const since = this.since ?? this.clock.now()
    const tried = this.clock.now() - since
    const isServed = this.current !== null && !this.current.session.closed
    if (final || (tried >= this.settings.giveUpMs && !isServed)) this.fail(error)
    else this.stopTry = this.clock.after(this.backoff.next(tried), () => this.tryNow())
  }

  private cancelTries(): void {
    this.abandonTry()
    this.since = null
    this.tries = 0
  }

  /** Whatever of a try is under way or planned. */
  private abandonTry(): void {
    this.stopTry()
    this.stopEstablish()
    this.dialling?.abort()
    this.dialling = null
    const { next } = this
    this.next = null
    if (!next) return
    next.watcher = null
    next.close('another one is tried')
    this.options.onOver(next)
  }

  // ---- from one to the next

  private adopt(connection: Connection): void {
    const old = this.current
    this.stopEstablish()
    this.next = null
    this.current = connection
    this.since = null
    this.goneAway = false
    this.setLost(false)
    this.stopStable()
    this.stopStable = this.clock.after(this.settings.stableMs, () => this.stayed())
    const serves = old !== null && !old.session.closed && !old.silent
    if (old && serves) this.former.add(old)
    this.options.onAdopted(connection)
    if (!old) return
    if (serves) this.leaveLater(old, this.clock.now())
    else if (!old.session.closed) this.leave(old)
  }

  /** It was good: the next loss is a new one. */
  private stayed(): void {
    this.tries = 0
    this.backoff.reset()
  }

  private leaveLater(old: Connection, since: number): void {
    const { overlapMs, mostOverlapMs } = this.settings
    this.clock.after(LOOK_MS, () => {
      if (!this.former.has(old)) return
      const passed = this.clock.now() - since
      const isDone = passed >= overlapMs && !this.options.isMoving()
      if (isDone || passed >= mostOverlapMs) this.leave(old)
      else this.leaveLater(old, since)
    })
  }

  private leave(old: Connection): void {
    this.former.delete(old)
    old.watcher = null
    old.close('the call goes on over another session')
    this.options.onOver(old)
  }

  private setLost(lost: boolean): void {
    if (lost === this.lost) return
    this.lost = lost
    this.options.onLost(lost)
  }

  private fail(error: CallError): void {
    this.options.onFailed(error)
  }
}

const NEVER_BACK: CallError = {
  code: 'disconnected',
  message:
    'The connection to the relay was lost, and is not back. Check your network, then join again.',
}

/** Where the request is to be made instead, for the same names; null for any other refusal. */
function redirectOf({ code, redirect }: RequestError): string | null {
  if (code !== RequestCode.REDIRECT || !redirect) return null
  const { connectUri, track } = redirect
  const isSame = track.namespace.length === 0 && track.name.length === 0
  return isSame && isUsable(connectUri) ? connectUri : null
}

/** A relay may send us to another one, but not to what is none. */
function isUsable(uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).protocol === 'https:'
}
