import type { ConnectOptions } from '../../transport/connect.ts'

export type Way = 'webtransport' | 'websocket'

/** Of so many tries of a lost relay one goes the other way. */
const OTHER_EACH = 3

/** By which transport the relay is tried: by the one that worked, and now and then by the other. */
export class TransportChoice {
  private readonly wanted: 'auto' | Way
  private worked: Way | null
  private tries = 0

  /** @param remembered what worked with this relay before, of late */
  constructor(wanted: 'auto' | Way, remembered: Way | null) {
    this.wanted = wanted
    this.worked = remembered
  }

  /** For the first connection. */
  get first(): Pick<ConnectOptions, 'prefer' | 'first'> {
    return { prefer: this.wanted, ...(this.worked && { first: this.worked }) }
  }

  /** For the next try of a lost relay. */
  next(): Way {
    if (this.wanted !== 'auto') return this.wanted
    const usual = this.worked ?? 'webtransport'
    const other = usual === 'webtransport' ? 'websocket' : 'webtransport'
    return ++this.tries % OTHER_EACH === 0 ? other : usual
  }

  note(way: Way): void {
    this.worked = way
    this.tries = 0
  }

  /** Another network may let UDP through. */
  networkChanged(): void {
    this.worked = null
    this.tries = 0
  }
}
