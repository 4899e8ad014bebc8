/** The call page of a relay, and what it tells a page of the relay, as configured. */

import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { PublicJwk } from './admission/index.ts'
import type { CertificateKeeper } from './certificate/index.ts'
import type { Config } from './config.ts'
import { websocketUrl } from './operate/address.ts'
import type { Listening } from './operate/http.ts'
import { startWebServer } from './operate/web.ts'

const APP_DIRECTORY = fileURLToPath(new URL('../dist/app', import.meta.url))

export interface CallPageOptions {
  readonly config: Config
  readonly log: Logger
  readonly keeper: CertificateKeeper
  /**
   * Where a room is served, or the room of somebody who does not say which.
   * @param askedFor the `Host` header of the request
   */
  readonly relayOf: (askedFor: string | undefined, room: string | null) => string
  /** Everywhere that a room may be served. */
  readonly relays: (askedFor: string | undefined) => readonly string[]
  /** Public keys of who signs tokens; null where no token is needed. */
  readonly issuerKeys: () => { readonly keys: readonly PublicJwk[] } | null
}

/** @throws ListenError */
export async function startCallPage(options: CallPageOptions): Promise<Listening> {
  const { config, log, keeper, relayOf, relays, issuerKeys } = options
  const web = await startWebServer({
    host: config.host,
    port: config.httpPort,
    directory: APP_DIRECTORY,
    site: (askedFor, room) => {
      const relay = relayOf(askedFor, room)
      const site = { relay, websocket: websocketUrl(relay), certificateHashes: keeper.hashes() }
      const keys = issuerKeys()
      return keys === null
        ? { ...site, auth: 'none' }
        : { ...site, auth: 'token', issuerKeys: keys }
    },
    relays,
    certificateHash: () => keeper.current.sha256,
    tls: config.https ? keeper.current : null,
    log,
  })
  if (config.https) keeper.onRotate((pair) => web.setKeyPair(pair))
  return web
}
