import type { W3cWebTransport } from '../../moq/transport/w3c-types.ts'
import type { ConnectPlatform } from './platform.ts'
import { openWebTransport, type RelayAddress } from './webtransport.ts'

/** A relay gives up on who says nothing; it is let go of before, ms. */
const KEEP_MS = 6000
/** One that is older than this is replaced when another is wished for, ms. */
const FRESH_MS = 3000

interface Held {
  readonly address: string
  readonly transport: W3cWebTransport
  readonly since: number
  readonly stopTimer: () => void
}

/**
 * A WebTransport session that is opened while a person is about to press Join, for whoever then connects
 * to the same relay. Nothing is said over it. It never fails: what cannot be opened early is opened later,
 * by `connect`, which tells why it cannot.
 */
export class EarlyTransport {
  private readonly platform: Pick<ConnectPlatform, 'WebTransport' | 'after' | 'now'>
  private held: Held | null = null

  constructor(platform: Pick<ConnectPlatform, 'WebTransport' | 'after' | 'now'>) {
    this.platform = platform
  }

  /** Opens one, unless a fresh one to the same address is there. */
  open(address: RelayAddress): void {
    const { WebTransport, after, now } = this.platform
    if (WebTransport === undefined) return
    const key = keyOf(address)
    if (this.held?.address === key && now() - this.held.since < FRESH_MS) return
    this.close()
    let transport: W3cWebTransport
    try {
      transport = openWebTransport(WebTransport, address)
    } catch {
      return
    }
    const held: Held = {
      address: key,
      transport,
      since: now(),
      stopTimer: after(KEEP_MS, () => this.close()),
    }
    this.held = held
    const gone = () => {
      if (this.held === held) this.forget()
    }
    transport.ready.catch(gone)
    transport.closed.then(gone, gone)
  }

  /** The one to this address, open or about to be, which is the caller's from now on; null: there is none. */
  take(address: RelayAddress): W3cWebTransport | null {
    const { held } = this
    if (held?.address !== keyOf(address)) return null
    this.forget()
    return held.transport
  }

  /** Lets go of what nobody took. */
  close(): void {
    this.held?.transport.close()
    this.forget()
  }

  private forget(): void {
    this.held?.stopTimer()
    this.held = null
  }
}

function keyOf({ url, protocols, certificateHashes = [] }: RelayAddress): string {
  return JSON.stringify([new URL(url).href, protocols, certificateHashes.map(String)])
}
