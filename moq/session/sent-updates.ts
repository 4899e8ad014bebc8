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

/** REQUEST_UPDATEs of ours on one stream, which are answered in order (draft-18 section 10.9). */
export class SentUpdates {
  private readonly nextRequestId: () => number
  private waiting: (UpdateResult | undefined)[] = []

  constructor(nextRequestId: () => number) {
    this.nextRequestId = nextRequestId
  }

  send(stream: RequestStream, parameters: Parameters, onResult?: UpdateResult): void {
    this.waiting.push(onResult)
    stream.send({ type: 'REQUEST_UPDATE', requestId: this.nextRequestId(), parameters })
  }

  /** @throws ProtocolError when no update waits for an answer */
  granted(message: RequestOk): void {
    if (this.waiting.length === 0) throw new ProtocolError('REQUEST_OK answers nothing')
    checkOk(message, 'REQUEST_UPDATE_OK')
    this.waiting.shift()?.(null, message.parameters)
  }

  /**
   * One error may stand for every update that waits.
   * @throws ProtocolError when none does
   */
  refused(error: RequestError): void {
    if (this.waiting.length === 0) throw new ProtocolError('REQUEST_ERROR answers nothing')
    const waiting = this.waiting
    this.waiting = []
    for (const onResult of waiting) onResult?.(error, {})
  }

  /** The request is over: nothing is called any more. */
  clear(): void {
    this.waiting = []
  }
}
