import { ProtocolError } from '../wire/errors.ts'
import type { RequestError, RequestOk } from '../wire/messages.ts'
import type { Parameters } from '../wire/parameters.ts'
import { checkOk } from './request-rules.ts'
import type { RequestStream } from './request-stream.ts'

/**
 * Told of the answer to a REQUEST_UPDATE: null and the parameters of REQUEST_UPDATE_OK, or the
 * REQUEST_ERROR. Not called when the request ends before the answer.
 */
export type UpdateResult = (error: RequestError | null, parameters: Parameters) => void

type Results = readonly (UpdateResult | undefined)[]

/**
 * REQUEST_UPDATEs of ours on one stream, which are answered in order (draft-18 section 10.9). Those for
 * which the peer has no room (draft-19 section 10.3.1.7) are made one, which goes with the next answer.
 */
export class SentUpdates {
  private readonly nextRequestId: () => number
  private waiting: Results[] = []
  private joined: {
    readonly stream: RequestStream
    readonly parameters: Parameters
    readonly results: Results
  } | null = null

  constructor(nextRequestId: () => number) {
    this.nextRequestId = nextRequestId
  }

  send(stream: RequestStream, parameters: Parameters, onResult?: UpdateResult): void {
    if (this.waiting.length < stream.maxUpdates) {
      this.dispatch(stream, parameters, [onResult])
      return
    }
    const { joined } = this
    this.joined = {
      stream,
      parameters: joined ? join(joined.parameters, parameters) : parameters,
      results: [...(joined?.results ?? []), onResult],
    }
  }

  /** @throws ProtocolError when no update waits for an answer */
  granted(message: RequestOk): void {
    const results = this.waiting.shift()
    if (!results) throw new ProtocolError('REQUEST_OK answers nothing')
    checkOk(message, 'REQUEST_UPDATE_OK')
    const { joined } = this
    this.joined = null
    if (joined) this.dispatch(joined.stream, joined.parameters, joined.results)
    for (const onResult of results) onResult?.(null, message.parameters)
  }

  /**
   * One error may stand for every update that waits, and none that was not sent can follow it.
   * @throws ProtocolError when none waits
   */
  refused(error: RequestError): void {
    if (this.waiting.length === 0) throw new ProtocolError('REQUEST_ERROR answers nothing')
    const results = [...this.waiting.flat(), ...(this.joined?.results ?? [])]
    this.clear()
    for (const onResult of results) onResult?.(error, {})
  }

  /** The request is over: nothing is called any more. */
  clear(): void {
    this.waiting = []
    this.joined = null
  }

  private dispatch(stream: RequestStream, parameters: Parameters, results: Results): void {
    this.waiting.push(results)
    stream.send({ type: 'REQUEST_UPDATE', requestId: this.nextRequestId(), parameters })
  }
}

/** What two updates say together: the later one where both say something, and every token. */
function join(earlier: Parameters, later: Parameters): Parameters {
  const tokens = [...(earlier.authorizationTokens ?? []), ...(later.authorizationTokens ?? [])]
  return { ...earlier, ...later, ...(tokens.length > 0 && { authorizationTokens: tokens }) }
}
