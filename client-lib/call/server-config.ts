import type { PublicKeySet } from './types.ts'

/** What a Sotto relay tells the page that it serves. */
export interface ServerConfig {
  /** The relay's address. */
  readonly relay: string
  /** SHA-256 in hex; empty when an authority signed the certificate. */
  readonly certificateHashes: string[]
  readonly auth: string
  /**
   * Public keys of who signs tokens, as the relay tells them; absent where it asks for no token. Given
   * to `joinCall` they show who the members are as long as the relay does not lie about them.
   */
  readonly issuerKeys?: PublicKeySet
  /** Address of the WebSocket fallback. */
  readonly websocket?: string
}

/**
 * Asks the server that served this page; where it spreads rooms over several relays, for the relay of one.
 * To be asked again before each new connection: a self-signed
 * certificate changes every few days.
 * @param room that is to be joined. Without it the address is good as well: a relay sends the call on.
 * @throws Error when the server does not answer
 */
export async function configFromServer(room?: string): Promise<ServerConfig> {
  const query = room === undefined ? '' : `?${new URLSearchParams({ room })}`
  const response = await fetch(`/config.json${query}`, { cache: 'no-store' })
  if (!response.ok) throw new Error(`the server answered ${response.status} to /config.json`)
  return (await response.json()) as ServerConfig
}
