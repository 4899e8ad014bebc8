/**
 * A relay of two processes: rooms are spread, clients are sent to theirs, one of the processes is killed, all
 * drain. Real: the processes, raw QUIC and WebTransport clients in Node, tokens, Chromium.
 */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readToken } from '../client-lib/call/token.ts'
import { tokenSetup } from '../client-lib/call/worker/token-renewal.ts'
import type { Snapshot } from '../client-lib/index.ts'
import { connect } from '../moq/node/index.ts'
import { type Session, TrackPublisher } from '../moq/session/index.ts'
import { RequestCode } from '../moq/wire/codes.ts'
import type { RequestError } from '../moq/wire/messages.ts'
import { type FullTrackName, formatTrack, namespaceOf, trackOf } from '../moq/wire/names.ts'
import type { Property } from '../moq/wire/properties.ts'
import { buildApp } from '../scripts/build-app.ts'
import { placeOfRoom } from '../sfu/workers/place.ts'
import { Caller, others, received } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, runRelay, startRelay } from './support/relay-process.ts'

const WORKERS = ['--workers', '2', '--engine', 'quiche']
const trust = { kind: 'none' } as const
const roomsOf = (worker: number) =>
  Array.from({ length: 20 }, (_, index) => `room ${index}`)
    .filter((room) => placeOfRoom(room, 2) === worker)
    .slice(0, 3)
const ROOMS = [...roomsOf(0), ...roomsOf(1)]

let relay: RelayProcess
let sessions: Session[] = []
let talks = 0

/** Process id of each worker, as the log says last. */
function pids(): number[] {
  const found: number[] = []
  for (const line of relay.output().split('\n')) {
    if (!line.includes('"worker serves"')) continue
    const { worker, pid } = JSON.parse(line)
    found[worker] = pid
  }
  return found
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const ops = async (path: string) => (await fetch(`${relay.urls.ops}${path}`)).text()

async function metric(series: string): Promise<number> {
  const line = (await ops('/metrics')).split('\n').find((one) => one.startsWith(`${series} `))
  return Number(line?.slice(series.length))
}

/** What the relay tells a page that joins the room. */
async function toldOf(room: string): Promise<string> {
  const query = new URLSearchParams({ room })
  const answer = await fetch(`${relay.urls.web}/config.json?${query}`)
  return (await answer.json()).relay
}

interface Entered {
  readonly session: Session
  /** Where it ended up. */
  readonly url: string
  readonly publisher: TrackPublisher
  readonly track: FullTrackName
}

/** Publishes a namespace of the room, wherever the relay sends it for that. */
async function enter(
  url: string,
  room: string,
  name: string,
  setup: Property[] = [],
): Promise<Entered> {
  const track = trackOf(namespaceOf('sotto', room, name), 'news')
  const publisher = new TrackPublisher({ trackAlias: 1, priority: 1 })
  for (let at = url, hops = 0; ; hops++) {
    const session = await connect(at, {
      trust,
      setup,
      handler: {
        onSubscribe: (request) => {
          const isNews = formatTrack(request.track) === formatTrack(track)
          if (isNews) publisher.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
      },
    })
    sessions.push(session)
    const refusal = await new Promise<RequestError | null>((resolve) =>
      session.publishNamespace(track.namespace, {
        onAccepted: () => resolve(null),
        onRejected: resolve,
      }),
    )
    if (refusal === null) return { session, url: at, publisher, track }
    session.close(0, 'elsewhere')
    expect(refusal, refusal.reason).toMatchObject({ code: RequestCode.REDIRECT })
    expect(hops).toBe(0)
    at = refusal.redirect!.connectUri
  }
}

/** Settles when an object of one caller has come to another one. */
async function talk(url: string, room: string): Promise<[Entered, Entered]> {
  const names = [`${++talks} one`, `${talks} two`] as const
  const one = await enter(url, room, names[0])
  const two = await enter(url, room, names[1])
  const heard = Promise.withResolvers<string>()
  const accepted = Promise.withResolvers<void>()
  two.session.subscribe(
    one.track,
    {},
    {
      onAccepted: () => accepted.resolve(),
      onRejected: ({ reason }) => accepted.reject(new Error(reason)),
      onObject: ({ payload }) => heard.resolve(new TextDecoder().decode(payload!)),
    },
  )
  await accepted.promise
  one.publisher.writeSnapshot(0, new Uint8Array(), new TextEncoder().encode(room))
  expect(await heard.promise).toBe(room)
  return [one, two]
}

const rawUrl = () => `moqt://127.0.0.1:${new URL(relay.urls.relay).port}/`

function closeSessions(): void {
  for (const session of sessions) session.close(0, 'done')
  sessions = []
}

describe('a relay of two processes', { timeout: 100_000 }, () => {
  beforeAll(async () => {
    relay = await startRelay([...WORKERS, '--drain-timeout', '10s'])
  }, 120_000)

  afterAll(async () => {
    closeSessions()
    await relay?.stop()
  })

  it('has all rooms at one address: clients are sent on, browsers are told at once', async () => {
    const ports = new Map<number, string>()
    for (const room of ROOMS) {
      const told = await toldOf(room)
      const [raw] = await talk(rawUrl(), room)
      const [web] = await talk(relay.urls.relay, room)
      expect(new URL(raw.url.replace('moqt:', 'https:')).host).toBe(new URL(told).host)
      expect(new URL(web.url).host).toBe(new URL(told).host)
      const direct = await enter(told, room, 'three')
      expect(direct.url).toBe(told)
      ports.set(placeOfRoom(room, 2), new URL(told).port)
    }
    expect(new Set(ports.values()).size).toBe(2)
    expect(ports.get(0)).toBe(new URL(relay.urls.relay).port)
  })

  it('shows them as one', async () => {
    expect(await metric('sotto_workers')).toBe(2)
    expect(await metric('sotto_rooms')).toBe(ROOMS.length)
    expect(await metric('sotto_worker_rooms{worker="1"}')).toBe(3)
    const objects = 'sotto_objects_total{direction="sent",class="other",delivery="stream"}'
    expect(await metric(objects)).toBe(2 * ROOMS.length)
    const { rooms, groups } = JSON.parse(await ops('/rooms'))
    expect(rooms.map(({ room }: { room: string }) => room).toSorted()).toEqual(ROOMS.toSorted())
    expect(groups).toEqual([])
    const one = JSON.parse(await ops(`/rooms?${new URLSearchParams({ room: ROOMS[4]! })}`))
    expect(one.rooms).toMatchObject([{ room: ROOMS[4] }])
    const sizes = JSON.parse(await ops('/debug.json')).rooms
    expect(sizes).toHaveLength(ROOMS.length)
    const page = await ops(`/debug?${new URLSearchParams({ room: ROOMS[4]! })}`)
    expect(page).toContain(`Room ${ROOMS[4]}`)
    expect(await ops('/readyz')).toContain('true')
  })

  it('goes on at one when the other is killed, and starts that again', async () => {
    const opened = 'sotto_sessions_opened_total{transport="quic"}'
    const before = await metric(opened)
    closeSessions()
    const [kept] = await talk(rawUrl(), ROOMS[0]!)
    const lost = await enter(rawUrl(), ROOMS[3]!, 'one')
    const killed = pids()[1]!
    process.kill(killed, 'SIGKILL')
    await expect.poll(() => ops('/readyz')).toContain('worker 1 is being started')
    await expect.poll(() => ops('/readyz'), { timeout: 60_000 }).toContain('true')
    expect(pids()[1]).not.toBe(killed)
    expect(kept.session.closed).toBe(false)
    expect(await metric('sotto_worker_restarts_total')).toBe(1)
    const [again] = await talk(rawUrl(), ROOMS[3]!)
    expect(again.url).toBe(lost.url)
    expect(await metric(opened)).toBeGreaterThan(before + 3)
  })

  it('drains all, and leaves no process behind', async () => {
    closeSessions()
    const told: string[] = []
    for (const room of [ROOMS[0]!, ROOMS[3]!]) {
      const { url } = await enter(rawUrl(), room, 'one')
      const session: Session = await connect(url, {
        trust,
        handler: {
          onGoaway: () => {
            told.push(room)
            session.close(0, 'moved')
          },
        },
      })
    }
    const workers = pids()
    relay.signal('SIGTERM')
    await expect.poll(() => told.toSorted()).toEqual([ROOMS[0], ROOMS[3]].toSorted())
    closeSessions()
    expect(await relay.exited).toBe(0)
    expect(workers.map(isAlive)).toEqual([false, false])
  })
})

describe('workers', { timeout: 120_000 }, () => {
  it('end when their parent is killed', async () => {
    relay = await startRelay(WORKERS)
    const workers = pids()
    expect(workers.map(isAlive)).toEqual([true, true])
    relay.signal('SIGKILL')
    await relay.exited
    await expect.poll(() => workers.map(isAlive), { timeout: 10_000 }).toEqual([false, false])
  })

  it('that cannot have their port are an error of the start, in one line', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    const others = ['--http-port', '0', '--ops-port', '0', '--log-level', 'silent']
    const ended = await runRelay([...WORKERS, '--port', String(port - 1), ...others])
    socket.close()
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/^sotto: worker 1: .*in use.*\n$/)
  })
})

describe('a revocation', { timeout: 150_000 }, () => {
  it('holds at every worker, also at one that is started later', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-workers-'))
    try {
      const keys = join(folder, 'keys')
      await runRelay(['token', 'keys', '--out', keys])
      relay = await startRelay([...WORKERS, '--auth', join(keys, 'jwks.json')])
      const [room] = roomsOf(1)
      const issue = ['token', 'issue', '--key', join(keys, 'signing-key.json'), '--room', room!]
      const { stdout } = await runRelay([...issue, '--sub', 'one'])
      const setup = tokenSetup(readToken(stdout.trim()), null)
      const { session } = await enter(await toldOf(room!), room!, 'one', setup)
      const answer = await fetch(`${relay.urls.ops}/revoke`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ room, sub: 'one' }),
      })
      expect(await answer.json()).toMatchObject({ revoked: true, sessionsEnded: 1 })
      await expect.poll(() => session.closed).toBe(true)
      process.kill(pids()[1]!, 'SIGKILL')
      await expect.poll(() => ops('/readyz')).toContain('being started')
      await expect.poll(() => ops('/readyz'), { timeout: 60_000 }).toContain('true')
      const closed = Promise.withResolvers<string>()
      const url = await toldOf(room!)
      const late = connect(url, {
        trust,
        setup,
        handler: { onClosed: ({ reason }) => closed.resolve(reason) },
      })
      await late.catch(({ message }) => closed.resolve(message))
      expect(await closed.promise).toContain('revoked')
      expect(await metric('sotto_revocations')).toBe(1)
    } finally {
      await relay.stop()
      await rm(folder, { recursive: true })
    }
  })
})

describe('a call at the second worker', { timeout: 180_000 }, () => {
  /** Sound and picture of the other are decoded now. */
  const flows = (snapshot: Snapshot) =>
    snapshot.state === 'connected' &&
    others(snapshot).length === 1 &&
    received(snapshot).length === 2 &&
    received(snapshot).every((t) => t.framesDecoded > 0 && (t.lastFrameAgeMs ?? 1e9) < 1000)

  it('goes on, with the same members, after that process was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-workers-'))
    await buildApp({ quiet: true })
    const browser = await launchChromium()
    const callers: Caller[] = []
    try {
      relay = await startRelay([...WORKERS, '--data-dir', folder])
      const [room] = roomsOf(1)
      const query = { room: room!, autojoin: '1', suite: 'classical' }
      callers.push(await Caller.open(browser, relay.urls.web, { ...query, name: 'one' }))
      // Does not say where it wants to, is told the first worker, and is sent on by that.
      const context = await browser.newContext()
      const config = `${relay.urls.web}/config.json`
      await context.route(/config\.json/, (route) => route.continue({ url: config }))
      callers.push(await Caller.in(context, relay.urls.web, { ...query, name: 'two' }))
      for (const caller of callers) await caller.until('sound and picture', flows, 60_000)
      expect(await metric('sotto_worker_rooms{worker="1"}')).toBe(1)
      expect(await metric('sotto_worker_rooms{worker="0"}')).toBe(0)
      expect(await metric('sotto_sessions_opened_total{transport="webtransport"}')).toBe(3)
      const { epoch, roster } = await callers[0]!.snapshot()
      process.kill(pids()[1]!, 'SIGKILL')
      for (const caller of callers) {
        await caller.until('it is lost', ({ state }) => state === 'reconnecting')
      }
      for (const caller of callers) await caller.until('they are back', flows, 60_000)
      const after = await callers[0]!.snapshot()
      expect([after.epoch, after.roster]).toEqual([epoch, roster])
    } finally {
      for (const caller of callers) await caller.close()
      await browser.close()
      await relay?.stop()
      await rm(folder, { recursive: true })
    }
  })
})
