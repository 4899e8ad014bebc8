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
 * Asks the server that served this page. To be asked again before each new connection: a self-signed
 * certificate changes every few days.
 * @throws Error when the server does not answer
 */
export async function configFromServer(): Promise<ServerConfig> {
  const response = await fetch('/config.json', { cache: 'no-store' })
  if (!response.ok) throw new Error(`the server answered ${response.status} to /config.json`)
  return (await response.json()) as ServerConfig
}
