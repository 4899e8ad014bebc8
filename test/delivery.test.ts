/**
 * The delivery service as a process of its own: against a relay that has none, over restarts of either,
 * and with a token. Real: both processes, QUIC, the disk, MLS handshakes.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  decodeLogEntry,
  decodeSnapshot,
  encodeSubmission,
  groupInfoTrack,
  type LogEntry,
  logTrack,
  type Snapshot,
} from '../moq/delivery/index.ts'
import { connect } from '../moq/node/index.ts'
import { type Session, SetupOption, TrackPublisher } from '../moq/session/index.ts'
import { RequestCode } from '../moq/wire/codes.ts'
import { namespaceOf, textOf } from '../moq/wire/names.ts'
import { encodeAuthorizationToken } from '../moq/wire/parameters.ts'
import { commit, found, type Handshake, join, removal } from '../sfu/delivery/mls-fixture.ts'
import { type RelayProcess, runRelay, startRelay } from './support/relay-process.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const NO_PROPERTIES = new Uint8Array(0)

class DeliveryProcess {
  output = ''
  readonly exited: Promise<number | null>
  private readonly child: ChildProcess

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(
      process.execPath,
      ['sfu/delivery/main.ts', '--log-format', 'json', '--ops-port', '0', ...args],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
    )
    const read = (chunk: unknown) => {
      this.output += String(chunk)
    }
    this.child.stdout?.on('data', read)
    this.child.stderr?.on('data', read)
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null)
  }

  async says(text: string, times = 1): Promise<void> {
    const hasSaid = () => {
      if (this.output.split(text).length > times) return true
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.output}`)
      return false
    }
    await until(`the delivery service says ${text}`, hasSaid, () => this.output)
  }

  async ops(path: string): Promise<string> {
    const line = this.output.split('\n').find((text) => text.includes('"msg":"ready"'))
    return (await fetch(`${JSON.parse(line!).ops}${path}`)).text()
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null) this.child.kill(signal)
    return this.exited
  }
}

/** Loose: processes start slowly on a busy machine, and a session without an end is over after 15 s only. */
const PATIENCE_MS = 40_000

/** @param seen what there was instead, for when it is not in time */
async function until(what: string, condition: () => boolean, seen = () => ''): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !condition(); await pause(20)) {
    if (Date.now() > end) throw new Error(`not in time: ${what}\n${seen()}`)
  }
}

/** A participant without media: its namespace, its `mls` track, the log and the GroupInfo. */
class Member {
  readonly session: Session
  readonly entries: LogEntry[] = []
  private readonly mls = new TrackPublisher({ trackAlias: 0, priority: 0 })
  private group = Date.now()

  private constructor(session: Session, id: string) {
    this.session = session
    session.publishNamespace(namespaceOf('sotto', 'demo', id), {})
    session.subscribe(
      logTrack('demo'),
      { rendezvousTimeout: 10_000 },
      { onObject: (object) => this.entries.push(decodeLogEntry(object.payload.slice())) },
    )
  }

  static async join(relay: RelayProcess, id: string, token?: string): Promise<Member> {
    let member: Member | null = null
    const value = new TextEncoder().encode(token)
    const session = await connect(moqtUrl(relay), {
      trust: { kind: 'none' },
      ...(token !== undefined && {
        setup: [
          {
            type: SetupOption.AUTHORIZATION_TOKEN,
            value: encodeAuthorizationToken({ kind: 'use-value', type: 0, value }),
          },
        ],
      }),
      handler: {
        onSubscribe: (request) => {
          if (textOf(request.track.name) === 'mls') member?.mls.accept(request)
          // The relay asks for reports, which this client does not make.
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
      },
    })
    member = new Member(session, id)
    return member
  }

  async submit(what: Handshake | Uint8Array): Promise<void> {
    await until('the service follows the member', () => this.mls.wanted)
    const payload = what instanceof Uint8Array ? what : what.submission
    this.mls.writeSnapshot(this.group++, NO_PROPERTIES, payload)
  }

  /** The entries are there by kind and epoch, in order. */
  async sees(...expected: string[]): Promise<void> {
    const seen = () => this.entries.map(({ kind, epoch }) => `${kind} ${epoch}`)
    await until(expected.join(), () => seen().length >= expected.length)
    expect(seen()).toEqual(expected)
  }

  async snapshot(): Promise<Snapshot | null> {
    const answer = Promise.withResolvers<Snapshot | null>()
    const subscription = this.session.subscribe(
      groupInfoTrack('demo'),
      { filter: { kind: 'next-group-start' }, newGroupRequest: 0, rendezvousTimeout: 10_000 },
      { onObject: (object) => answer.resolve(decodeSnapshot(object.payload.slice())) },
    )
    const snapshot = await answer.promise
    subscription.unsubscribe()
    return snapshot
  }

  /** The log's entries in these groups. */
  async fetchLog(from: number, to: number): Promise<string[]> {
    const entries: string[] = []
    const end = Promise.withResolvers<string[]>()
    this.session.fetch(
      {
        kind: 'standalone',
        track: logTrack('demo'),
        start: { group: from, object: 0 },
        end: { group: to, object: 0 },
      },
      {
        onObject: (object) => {
          const { kind, epoch } = decodeLogEntry(object.payload.slice())
          entries.push(`${kind} ${epoch}`)
        },
        onEnd: () => end.resolve(entries),
        onRejected: (error) => end.reject(new Error(error.reason)),
        onReset: (code) => end.reject(new Error(`reset ${code}`)),
      },
    )
    return end.promise
  }
}

const moqtUrl = (relay: RelayProcess) => `moqt://127.0.0.1:${new URL(relay.urls.relay).port}`
const leave = encodeSubmission({ kind: 'leave' })

let folder: string
let ann: Handshake
let bob: Handshake
const processes: { stop(signal?: NodeJS.Signals): Promise<number | null> }[] = []

async function relayOf(...args: string[]): Promise<RelayProcess> {
  const relay = await startRelay(['--engine', 'quiche', '--delivery', 'none', ...args])
  processes.push(relay)
  return relay
}

async function serviceOf(relay: RelayProcess, ...args: string[]): Promise<DeliveryProcess> {
  const service = new DeliveryProcess(['--relay', moqtUrl(relay), '--insecure', ...args])
  processes.push(service)
  await service.says('"msg":"connected"')
  return service
}

const dataDir = () => ['--data-dir', joinPath(folder, 'data')]

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
})

beforeEach(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'sotto-delivery-'))
})

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.stop()))
  await rm(folder, { recursive: true, force: true })
})

describe('the delivery service as a process of its own', () => {
  it('serves the rooms of a relay that has none, and a late member by FETCH (section 10.12)', async () => {
    const relay = await relayOf()
    const service = await serviceOf(relay)
    const first = await Member.join(relay, 'ann')
    await first.submit(ann)
    await first.sees('created 0')
    const second = await Member.join(relay, 'bob')
    const snapshot = await second.snapshot()
    expect(snapshot).toMatchObject({ epoch: 0 })
    await second.submit(bob)
    await first.sees('created 0', 'commit 1')
    const from = snapshot!.logGroup
    expect(await second.fetchLog(from, from + 1)).toEqual(['created 0', 'commit 1'])
    expect(await service.ops('/rooms')).toContain('"members":["ann","bob"]')
    expect(await service.ops('/metrics')).toMatch(
      /sotto_delivery_accepted_total\{kind="commit"\} 1/,
    )
    expect(await service.stop()).toBe(0)
  })

  it('goes on after it was killed, without losing or repeating an entry', async () => {
    const relay = await relayOf()
    const service = await serviceOf(relay, ...dataDir())
    const first = await Member.join(relay, 'ann')
    await first.submit(ann)
    await first.sees('created 0')
    const second = await Member.join(relay, 'bob')
    await second.submit(bob)
    await first.sees('created 0', 'commit 1')
    await service.stop('SIGKILL')
    await serviceOf(relay, ...dataDir())
    const since = performance.now()
    const third = await Member.join(relay, 'cyn')
    const snapshot = await third.snapshot()
    expect(snapshot).toMatchObject({ epoch: 1 })
    const { logGroup } = snapshot!
    expect(await third.fetchLog(logGroup - 1, logGroup)).toEqual(['created 0', 'commit 1'])
    // The session of the one that was killed is there still, and nobody waits for it.
    expect(performance.now() - since).toBeLessThan(3000)
    await second.submit(await commit(bob.state, [removal(0)]))
    await third.sees('commit 2')
    await second.submit(leave)
    await third.sees('commit 2', 'left 2')
    const rooms = joinPath(folder, 'data/rooms')
    await until('the room is over', () => readdirSync(rooms).length === 0)
  })

  it('comes back to a relay that was away', async () => {
    const relay = await relayOf()
    const service = await serviceOf(relay)
    const first = await Member.join(relay, 'ann')
    await first.submit(ann)
    await first.sees('created 0')
    const { port } = new URL(relay.urls.relay)
    await relay.stop()
    await service.says('"msg":"not connected"')
    const again = await startRelay(['--engine', 'quiche', '--delivery', 'none', '--port', port])
    processes.push(again)
    await service.says('"msg":"connected"', 2)
    const back = await Member.join(again, 'bob')
    expect(await back.snapshot()).toMatchObject({ epoch: 0 })
  })

  it('enters a relay that admits by token with one that lets it publish for every room', async () => {
    const keys = joinPath(folder, 'keys')
    await runRelay(['token', 'keys', '--out', keys])
    const issue = async (...args: string[]) => {
      const key = ['--key', joinPath(keys, 'signing-key.json')]
      const { stdout, stderr, code } = await runRelay(['token', 'issue', ...key, ...args])
      expect({ code, stderr }).toMatchObject({ code: 0 })
      return stdout.trim()
    }
    const relay = await relayOf('--auth', joinPath(keys, 'jwks.json'))
    const rights = ['--publish', 'sotto', '--subscribe', 'sotto']
    const token = await issue('--room', 'delivery', '--sub', 'delivery', ...rights)
    const service = await serviceOf(relay, '--token', token)
    const first = await Member.join(relay, 'ann', await issue('--room', 'demo', '--sub', 'ann'))
    await first.submit(ann)
    await first.sees('created 0')
    expect(service.output).not.toContain(token)

    const narrow = await issue('--room', 'delivery', '--sub', 'other')
    const refused = new DeliveryProcess([
      '--relay',
      moqtUrl(relay),
      '--insecure',
      '--token',
      narrow,
    ])
    processes.push(refused)
    await refused.says('the relay does not allow the delivery service to see who is in a room')
  })

  it('says in one line what is wrong with how it was started', async () => {
    const wrong = async (...args: string[]) => {
      const service = new DeliveryProcess(args)
      expect(await service.exited).toBe(1)
      return service.output
    }
    expect(await wrong()).toMatch(/--relay <url>/)
    expect(await wrong('--relay', 'http://x')).toMatch(/neither a moqt:\/\/ nor an https:\/\/ URL/)
    const relay = ['--relay', 'moqt://127.0.0.1:1']
    expect(await wrong(...relay, '--data-dir', '/dev/null/x')).toMatch(
      /cannot use the data directory/,
    )
    expect(await wrong(...relay, '--token-file', '/nowhere')).toMatch(/cannot read the token/)
  })
})

describe('the relay', () => {
  it('keeps the rooms of its own delivery service over a restart with --data-dir', async () => {
    const args = ['--engine', 'quiche', ...dataDir()]
    const relay = await startRelay(args)
    processes.push(relay)
    const first = await Member.join(relay, 'ann')
    await first.submit(ann)
    await first.sees('created 0')
    await relay.stop()
    const again = await startRelay(args)
    processes.push(again)
    const second = await Member.join(again, 'bob')
    expect(await second.snapshot()).toMatchObject({ epoch: 0 })
  })

  it('does not start with a data directory that cannot be written', async () => {
    const { code, stderr } = await runRelay(['--data-dir', '/dev/null/x', '--port', '0'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^sotto: cannot use the data directory \/dev\/null\/x/)
  })
})
