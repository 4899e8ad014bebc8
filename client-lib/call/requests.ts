import { ChatError, type ChatErrorCode } from '../chat/index.ts'

/** What the worker was given to send and has not answered for, by number. */
export class Requests<Sent extends object> {
  private readonly open = new Map<number, PromiseWithResolvers<Sent>>()
  private next = 0

  /** @param tell gives it to the worker, which answers with the same number */
  begin(tell: (request: number) => void): Promise<Sent> {
    const answer = Promise.withResolvers<Sent>()
    const request = this.next++
    this.open.set(request, answer)
    tell(request)
    return answer.promise
  }

  /** The worker has answered. */
  settle(request: number, result: Sent | ChatErrorCode): void {
    const answer = this.open.get(request)
    this.open.delete(request)
    if (typeof result === 'string') answer?.reject(new ChatError(result))
    else answer?.resolve(result)
  }

  /** The call is over: what has no answer gets none. */
  close(): void {
    for (const { reject } of this.open.values()) reject(new ChatError('not-connected'))
    this.open.clear()
  }
}
