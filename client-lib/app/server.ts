/** The server of this page, asked before it matters. */

import { configFromServer, preloadCall, type ServerConfig } from '../index.ts'
import type { Settings } from './query.ts'

type Expected = Pick<Settings, 'room' | 'suite' | 'transport'>

/** What it said holds for so long, ms: a certificate is announced long before it is used. */
const FRESH_MS = 30_000

interface Asked {
  readonly room: string
  readonly at: number
  readonly answer: Promise<ServerConfig>
  config: ServerConfig | null
}

let asked: Asked | null = null

/** What holds for a room. @throws Error when the server does not answer */
export function serverConfig(room: string): Promise<ServerConfig> {
  if (asked !== null && isFresh(asked, room)) return asked.answer
  const answer = configFromServer(room)
  const mine: Asked = { room, at: performance.now(), answer, config: null }
  asked = mine
  answer.then(
    (config) => {
      mine.config = config
    },
    () => {
      if (asked === mine) asked = null
    },
  )
  return answer
}

/** Null where it has to be asked first. */
export function knownServerConfig(room: string): ServerConfig | null {
  return asked !== null && isFresh(asked, room) ? asked.config : null
}

function isFresh(asked: Asked, room: string): boolean {
  return asked.room === room && performance.now() - asked.at < FRESH_MS
}

/** A person is about to join: what that takes is made ready. Whoever joins is told what fails. */
export function expectJoin({ room, suite, transport }: Expected): void {
  preloadCall({ suite })
  if (room === '') return
  serverConfig(room).then(
    ({ relay: url, certificateHashes }) =>
      preloadCall({ url, certificateHashes, suite, transport }),
    () => {},
  )
}
