/**
 * Keeps a session admitted: asks for a new token before the one in use ends, and sends it. Where that
 * fails it tries again until the relay itself closes the session.
 */

import { logTrack } from '../../../moq/delivery/index.ts'
import type { Clock, Session } from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import { type AuthorizationToken, encodeAuthorizationToken } from '../../../moq/wire/parameters.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { TokenType } from '../../../moq/wire/token-types.ts'
import type { ReadToken } from '../token.ts'

/** What became of a token: the relay has it, could not look at it now, or refused it. */
export type TokenAnswer = 'taken' | 'retry' | RequestError

export interface TokenRenewalOptions {
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  /** 0..1, so that callers who joined together do not renew together. */
  readonly random: () => number
  /** Asks the application for a token; the answer is `offer` or `failed`. */
  readonly ask: () => void
  /** Sends a token to the relay. */
  readonly send: (token: ReadToken, onAnswer: (answer: TokenAnswer) => void) => void
  /** The relay refused a new token; the one in use stays. */
  readonly onRefused: (error: RequestError) => void
}

/** The longest time before the end at which a new token is asked for, ms. */
const MAX_LEAD_MS = 5 * 60_000
const RETRY_MS = 5_000
/** Longest delay that timers bear. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class TokenRenewal {
  readonly #options: TokenRenewalOptions
  #cancelTimer: () => void = () => {}
  #over = false

  /** @param expires end of the token in use, ms since 1970 */
  constructor(expires: number, options: TokenRenewalOptions) {
    this.#options = options
    this.#scheduleFor(expires)
  }

  /** The application's new token. */
  offer(token: ReadToken): void {
    if (this.#over) return
    this.#options.send(token, (answer) => {
      if (this.#over) return
      if (answer === 'taken') {
        this.#scheduleFor(token.expires)
        return
      }
      if (answer !== 'retry') this.#options.onRefused(answer)
      this.#schedule(RETRY_MS)
    })
  }

  /** The application has none now. */
  failed(): void {
    this.#schedule(RETRY_MS)
  }

  close(): void {
    this.#over = true
    this.#cancelTimer()
  }

  #scheduleFor(expires: number): void {
    const { wallClock, random } = this.#options
    const left = expires - wallClock()
    const lead = Math.min(left / 4, MAX_LEAD_MS) * (1 + random() / 2)
    // A token that is no newer than the last, or clocks that differ, must not make a storm.
    this.#schedule(Math.max(left - lead, RETRY_MS))
  }

  #schedule(ms: number): void {
    if (this.#over) return
    this.#cancelTimer()
    this.#cancelTimer = this.#options.clock.after(Math.min(ms, MAX_TIMER_MS), this.#options.ask)
  }
}

const AUTHORIZATION_TOKEN_OPTION = 0x03

function useValue(type: number, text: string): AuthorizationToken {
  return { kind: 'use-value', type, value: new TextEncoder().encode(text) }
}

/** What is presented of a token (draft-18 section 10.2.2). */
function presented(token: ReadToken, proof: string | null): AuthorizationToken[] {
  const bare = useValue(TokenType.JWT, token.text)
  return proof === null ? [bare] : [bare, useValue(TokenType.KEY_PROOF, proof)]
}

/**
 * The options of our SETUP that bring the token (draft-18 section 10.3.1.4).
 * @param proof of the key that the token is bound to
 */
export function tokenSetup(token: ReadToken | null, proof: string | null = null): Property[] {
  if (token === null) return []
  return presented(token, proof).map((one) => {
    return { type: AUTHORIZATION_TOKEN_OPTION, value: encodeAuthorizationToken(one) }
  })
}

/**
 * Brings a new token to the relay. It travels on a TRACK_STATUS, whose refusal ends nothing else: a
 * REQUEST_UPDATE that is refused would end the request that it updates (section 10.9).
 * @param proof of the key that the token is bound to
 */
export function sendToken(
  session: Session,
  room: string,
  token: ReadToken,
  onAnswer: (answer: TokenAnswer) => void,
  proof: string | null = null,
): void {
  if (session.closed) {
    onAnswer('retry')
    return
  }
  session.trackStatus(
    logTrack(room),
    {
      onStatus: () => onAnswer('taken'),
      onRejected: (error) => onAnswer(error === null ? 'retry' : answerOf(error)),
    },
    { authorizationTokens: presented(token, proof) },
  )
}

/** The relay looks at the token before the track: whatever it says of that, it has the token. */
function answerOf(error: RequestError): TokenAnswer {
  switch (error.code) {
    case RequestCode.UNAUTHORIZED:
    case RequestCode.MALFORMED_AUTH_TOKEN:
    case RequestCode.EXPIRED_AUTH_TOKEN:
      return error
    case RequestCode.EXCESSIVE_LOAD:
    case RequestCode.GOING_AWAY:
    case RequestCode.INTERNAL_ERROR:
      return 'retry'
    default:
      return 'taken'
  }
}
