/**
 * The call page: from the address to the form, from the form to the call, and back. It is built only
 * on the public API of the call library, and shows how to use that.
 */

import {
  type Call,
  CallOptionsError,
  configFromServer,
  joinCall,
  type ServerConfig,
  type Snapshot,
} from '../index.ts'
import { CallView } from './call-view.ts'
import type { DeviceIds } from './device-pickers.ts'
import { PreJoin } from './pre-join.ts'
import { type Problems, parseQuery, type Settings, withoutToken } from './query.ts'
import { expectJoin, knownServerConfig, serverConfig } from './server.ts'
import { Toasts } from './toasts.ts'

declare global {
  interface Window {
    /** For tests and tools. */
    sotto: {
      /** The live call, or the last one once it is over; null while there is none. */
      readonly call: Call | null
      snapshot(): Snapshot | null
    }
  }
}

const NO_TOKEN =
  'Nobody gets in here without a token. Paste the link or the token that you were given.'

let call: Call | null = null
/** Counts up with every join and every leave: an answer that comes too late joins nothing. */
let attempt = 0

const query = parseQuery(location.search, location.hash)
const shown = withoutToken(location.href)
if (shown !== null) history.replaceState(null, '', shown)
let settings = query.settings
/** As chosen in the form. */
let devices: DeviceIds = {}
const toasts = new Toasts()
const preJoin = new PreJoin(settings, {
  join: (chosen, ids) => {
    devices = ids
    void join(chosen)
  },
  soon: (room) => expectJoin({ ...settings, room }),
})
const view = new CallView(
  {
    leave: () => {
      endCall()
      view.left()
    },
    again: () => {
      // The same token again would end the same way.
      if (tokenProblem() === null) void join(settings)
      else showForm()
    },
    back: () => showForm(),
  },
  toasts,
)

window.sotto = {
  get call() {
    return call
  },
  snapshot: () => call?.snapshot() ?? null,
}
begin(query.problems)
// Back without a reload, from where the browser had kept the page: its call has ended meanwhile, and
// everything is as it would be after a reload.
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted || call === null) return
  endCall()
  view.close()
  begin({})
})

function begin(problems: Problems): void {
  if (query.autojoin) void join(settings)
  else {
    preJoin.show(settings, problems)
    expectJoin(settings)
  }
}

async function join(chosen: Settings): Promise<void> {
  settings = chosen
  endCall()
  const mine = attempt
  call = null
  try {
    const known = knownServerConfig(settings.room)
    // The page takes a moment to be drawn anew, in which the call can begin.
    if (known !== null) call = startCall(known)
    preJoin.hide()
    view.open(settings)
    keepRoomInAddress(settings.room)
    if (known === null) {
      const config = await serverConfig(settings.room)
      if (mine !== attempt) return
      call = startCall(config)
    }
    if (call === null) showForm(NO_TOKEN)
    else view.follow(call)
  } catch (error) {
    if (mine !== attempt) return
    preJoin.hide()
    view.open(settings)
    view.end('The call could not be started', sentence(error), 'Try again')
  }
}

/**
 * Null where nobody gets in without a token, and there is none.
 * @throws CallOptionsError
 */
function startCall({ relay: url, certificateHashes, auth }: ServerConfig): Call | null {
  const { audio, video, token, ...rest } = settings
  if (auth === 'token' && token === null) return null
  const { microphone, camera, speaker } = devices
  return joinCall({
    ...rest,
    url,
    certificateHashes,
    renewCertificateHashes: async () => (await configFromServer()).certificateHashes,
    media: {
      audio: audio && choice(microphone),
      video: video && choice(camera),
      // The system's own is what is taken anyway.
      ...(speaker !== undefined && speaker !== 'default' && { speaker: { deviceId: speaker } }),
    },
    ...(token !== null && { token }),
  })
}

function showForm(problem = tokenProblem()): void {
  view.close()
  expectJoin(settings)
  preJoin.show(settings, problem === null ? {} : { token: problem })
}

/** Why the last call's token did not do, or null. */
function tokenProblem(): string | null {
  const error = call?.snapshot().error
  return error?.code.startsWith('token-') ? error.message : null
}

/** Lets go of the call, or of the one that is about to be. */
function endCall(): void {
  attempt += 1
  // The page is done with that call: it cannot do better than to have asked.
  void call?.leave().catch(() => undefined)
}

function sentence(error: unknown): string {
  if (error instanceof CallOptionsError) return error.message
  return 'The server of this page does not answer. Check the connection, then try again.'
}

function choice(deviceId: string | undefined): true | { deviceId: string } {
  return deviceId === undefined || { deviceId }
}

/** A reload, or a look at the address, finds the room. */
function keepRoomInAddress(room: string): void {
  const address = new URL(location.href)
  if (address.searchParams.get('room')?.trim() === room) return
  address.searchParams.set('room', room)
  history.replaceState(null, '', address)
}
