/** Streams that may be asked for and not be there yet, of each kind. */
export const PENDING_STREAMS = 16
/** How often a browser that refused a stream is asked again, ms: it does not say when it would not. */
const RETRY_MS = 10

/** One who waits for a stream of the browser's. */
export interface Waiter<T> {
  /** False once the stream is not needed any more. */
  isWanted(): boolean
  take(stream: T): void
  /** The session has ended. */
  fail(): void
}

export interface OpenerOptions<T> {
  create(): Promise<T>
  /** Credit has returned after `mayAsk` answered no. */
  onCredit(): void
  /** Runs a callback after so many ms. */
  after(ms: number, callback: () => void): void
}

/**
 * Matches the streams that the browser gives to those who wait for one. Without stream credit a
 * browser leaves the promise pending, as the specification has it, or rejects it, as Chromium does.
 */
export class Opener<T> {
  readonly #options: OpenerOptions<T>
  #waiters: Waiter<T>[] = []
  #spare: T[] = []
  #asked = 0
  /** The browser refused; it is asked again from time to time. */
  #refused = false
  #creditWanted = false
  #ended = false

  constructor(options: OpenerOptions<T>) {
    this.#options = options
  }

  /** Whether one more may be asked for; a no is followed by `onCredit`. */
  mayAsk(): boolean {
    const may = this.#mayAsk()
    if (!may) this.#creditWanted = true
    return may
  }

  ask(waiter: Waiter<T>): void {
    const spare = this.#spare.pop()
    if (spare !== undefined) {
      waiter.take(spare)
      return
    }
    this.#waiters.push(waiter)
    if (!this.#refused) this.#request()
  }

  end(): void {
    this.#ended = true
    for (const waiter of this.#waiters) waiter.fail()
    this.#waiters = []
    this.#spare = []
  }

  #mayAsk(): boolean {
    return this.#spare.length > 0 || (!this.#refused && this.#waiters.length < PENDING_STREAMS)
  }

  #request(): void {
    this.#asked++
    this.#create().then(this.#onCreated, this.#onRefused)
  }

  /** A browser may also throw instead of rejecting. */
  async #create(): Promise<T> {
    return this.#options.create()
  }

  readonly #onCreated = (stream: T) => {
    this.#asked--
    if (this.#ended) return
    this.#refused = false
    let waiter = this.#waiters.shift()
    while (waiter !== undefined && !waiter.isWanted()) waiter = this.#waiters.shift()
    if (waiter === undefined) this.#spare.push(stream)
    else waiter.take(stream)
    while (this.#asked < this.#waiters.length) this.#request()
    if (!this.#creditWanted || !this.#mayAsk()) return
    this.#creditWanted = false
    this.#options.onCredit()
  }

  readonly #onRefused = () => {
    this.#asked--
    this.#refused = true
    // Several asked at once are refused at once; one of them asks again.
    if (this.#ended || this.#asked > 0) return
    this.#options.after(RETRY_MS, this.#retry)
  }

  readonly #retry = () => {
    if (this.#ended || !this.#refused) return
    this.#request()
  }
}
