import type { OpenRequest, RequestStream } from './request-stream.ts'

/**
 * Our requests: each has an id of our parity (draft-18 section 10.1) and begins a stream, at once or as
 * soon as there is stream credit.
 */
export class OutgoingRequests {
  private readonly openStream: () => RequestStream | null
  private readonly open = new Set<OpenRequest>()
  /** Those that wait for stream credit, oldest first, and how each of them begins. */
  private readonly waiting = new Map<OpenRequest, (stream: RequestStream) => void>()
  private next: number

  /** @param openStream returns null without stream credit */
  constructor(role: 'client' | 'server', openStream: () => RequestStream | null) {
    this.next = role === 'client' ? 0 : 1
    this.openStream = openStream
  }

  /** Requests that are open or wait. */
  get size(): number {
    return this.open.size
  }

  /** The id that no request has yet. */
  get nextId(): number {
    return this.next
  }

  takeId(): number {
    const id = this.next
    this.next += 2
    return id
  }

  begin(request: OpenRequest, start: (stream: RequestStream) => void): void {
    this.open.add(request)
    const stream = this.waiting.size === 0 ? this.openStream() : null
    if (stream) start(stream)
    else this.waiting.set(request, start)
  }

  onStreamCredit(): void {
    for (const [request, start] of this.waiting) {
      const stream = this.openStream()
      if (!stream) return
      this.waiting.delete(request)
      start(stream)
    }
  }

  over(request: OpenRequest): void {
    this.open.delete(request)
    this.waiting.delete(request)
  }

  sessionEnded(reason: string): void {
    this.waiting.clear()
    for (const request of [...this.open]) request.sessionEnded(reason)
    this.open.clear()
  }
}
