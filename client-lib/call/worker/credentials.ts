/**
 * What we show to be let in: to the relay our admission token and, where it is bound to our signature key,
 * a proof of that key; to the other members the same token, in our MLS credential. A token that is bound
 * to no key never goes there: whoever read it could come in with it.
 */

import type { Session } from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { proveKey, type Seat, type SignatureKeys } from '../../keys/index.ts'
import type { ReadToken } from '../token.ts'
import type { CallError } from '../types.ts'
import { sendToken, type TokenAnswer, tokenSetup } from './token-renewal.ts'

export interface CredentialsOptions {
  readonly seat: Pick<Seat, 'keys' | 'thumbprint'>
  /** The first one. */
  readonly token: ReadToken | null
  readonly room: string
  /** ms since 1970. */
  readonly wallClock: () => number
}

/** What the group knows us by. */
export interface GroupIdentity {
  readonly token: string | null
  readonly signatureKeys?: SignatureKeys
}

const OTHER_KEY = 'it is bound to another key'

export class Credentials {
  private readonly options: CredentialsOptions
  private token: ReadToken | null

  constructor(options: CredentialsOptions) {
    this.options = options
    this.token = options.token
  }

  /** Why the first token cannot be used, or null. */
  get fault(): CallError | null {
    const { token } = this.options
    if (token === null || token.thumbprint === null || this.keysFor(token) !== null) return null
    const message = `The token was refused: ${OTHER_KEY}. Ask for a new link or token.`
    const detail = 'give a function as `token`: it is told the thumbprint of the key'
    return { code: 'token-refused', message, detail }
  }

  get identity(): GroupIdentity {
    const { token } = this.options
    const signatureKeys = token && this.keysFor(token)
    return token && signatureKeys ? { token: token.text, signatureKeys } : { token: null }
  }

  /** When the newest token ends, ms since 1970; null without one. */
  get expires(): number | null {
    return this.token?.expires ?? null
  }

  /** The next connection begins with this token. @returns false where it is bound to another key */
  use(token: ReadToken): boolean {
    if (token.thumbprint !== null && this.keysFor(token) === null) return false
    this.token = token
    return true
  }

  /** The options of our SETUP, with the newest token. The proof in it is good for a minute. */
  async setup(): Promise<Property[]> {
    const { token } = this
    return tokenSetup(token, token && (await this.prove(token)))
  }

  /**
   * Brings the next token to the relay.
   * @param onTaken what the group is to know us by from now on
   */
  async bring(
    session: Session,
    token: ReadToken,
    onAnswer: (answer: TokenAnswer) => void,
    onTaken: (token: string) => void,
  ): Promise<void> {
    if (token.thumbprint !== null && this.keysFor(token) === null) {
      const code = RequestCode.UNAUTHORIZED
      onAnswer({ type: 'REQUEST_ERROR', code, retryAfterMs: null, reason: OTHER_KEY })
      return
    }
    const proof = await this.prove(token)
    const answered = (answer: TokenAnswer) => {
      if (answer === 'taken' && proof !== null) onTaken(token.text)
      onAnswer(answer)
    }
    sendToken(session, this.options.room, token, answered, proof)
  }

  private async prove(token: ReadToken): Promise<string | null> {
    const keys = this.keysFor(token)
    const { room, wallClock } = this.options
    return keys && proveKey({ keys, token: token.text, room, now: wallClock() })
  }

  /** Null where the token is bound to no key, or to another one than ours. */
  private keysFor({ thumbprint }: ReadToken): SignatureKeys | null {
    const { seat } = this.options
    return thumbprint !== null && thumbprint === seat.thumbprint ? seat.keys : null
  }
}
