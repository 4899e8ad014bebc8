import type { AuthorizationToken } from '../wire/parameters.ts'
import type { SessionHandler } from './handler.ts'
import type { RequestRefusal } from './refusal.ts'
import type { Guard, RequestStream } from './request-stream.ts'

/** Asks the session's owner whether the tokens of a request allow it (draft-18 section 10.2.2). */
export class TokenQuestions {
  private readonly handler: SessionHandler
  private readonly guard: Guard

  constructor(handler: SessionHandler, guard: Guard) {
    this.handler = handler
    this.guard = guard
  }

  /**
   * Asks the owner about tokens. Until it has decided, what follows on the stream is held.
   * @param decided called once, unless the session ends first
   */
  ask(
    tokens: readonly AuthorizationToken[],
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void {
    if (!this.handler.onTokens) {
      decided(null)
      return
    }
    let state: 'asking' | 'waiting' | 'decided' = 'asking'
    this.handler.onTokens(tokens, (refusal) => {
      const late = state === 'waiting'
      if (state === 'decided') return
      state = 'decided'
      if (!late) {
        decided(refusal)
        return
      }
      this.guard(() => {
        decided(refusal)
        stream.release()
      })
    })
    if (isUndecided(state)) {
      state = 'waiting'
      stream.hold()
    }
  }
}

/** The callback that is told of a decision may have run already. */
function isUndecided(state: 'asking' | 'waiting' | 'decided'): boolean {
  return state === 'asking'
}
