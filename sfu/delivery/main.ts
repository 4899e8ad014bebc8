#!/usr/bin/env node
/** The delivery service as a process of its own, against any relay: `--help` tells how. */

import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { ConnectError, connect, parseAddress, type Trust } from '../../moq/node/index.ts'
import { systemClock } from '../../moq/session/index.ts'
import { ListenError, type Listening } from '../operate/http.ts'
import { createLogger } from '../operate/log.ts'
import { startOpsServer } from '../operate/ops.ts'
import { roomsView } from '../operate/rooms-view.ts'
import { FileStore, Sequencer, StorageError } from './index.ts'
import { RelayLink, TokenError } from './link.ts'
import { registerDeliveryMetrics } from './metrics.ts'
import type { Rate } from './settings.ts'

interface Options {
  readonly relay: string
  readonly token?: string
  readonly tokenFile?: string
  readonly certificateHash?: string
  readonly insecure: boolean
  readonly dataDir?: string
  readonly memberRate?: Rate
  readonly roomRate?: Rate
  readonly roomWaiting?: number
  readonly roomWaitingSize?: number
  readonly maxRooms?: number
  readonly maxMembers?: number
  readonly logEntries?: number
  readonly emptyRoom?: number
  readonly opsPort: number
  readonly logLevel: string
  readonly logFormat: 'auto' | 'json' | 'text'
}

const EXAMPLES = `
The relay runs with --delivery none. Where it has --auth, the service needs a token that lets it see
every room and publish for it:

  sotto token issue --key keys/signing-key.json --room delivery --sub delivery \\
    --publish sotto --subscribe sotto --ttl 24h > delivery.token

With --token-file it is read again for each session, so it can be renewed while the service runs.

Environment: SOTTO_DELIVERY_RELAY, SOTTO_DELIVERY_TOKEN, SOTTO_DELIVERY_DATA_DIR.`

function readOptions(argv: readonly string[]): Options {
  return new Command('sotto delivery')
    .description('The MLS delivery service of the rooms of a relay.')
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', EXAMPLES)
    .addOption(
      new Option('--relay <url>', 'moqt://host:port or https://host:port')
        .env('SOTTO_DELIVERY_RELAY')
        .argParser(relayUrl)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--token <token>', 'for the relay').env('SOTTO_DELIVERY_TOKEN'))
    .addOption(new Option('--token-file <file>', 'where the token is').conflicts('token'))
    .option('--certificate-hash <sha256>', 'of the relay, where no authority vouches for it')
    .option('--insecure', 'believe any certificate, of a relay on this machine only', false)
    .addOption(
      new Option('--data-dir <folder>', 'keep rooms over a restart').env('SOTTO_DELIVERY_DATA_DIR'),
    )
    .option('--member-rate <burst/second>', 'submissions of one member, 16/2 unless told', rate)
    .option('--room-rate <burst/second>', 'submissions of a room, 256/64 unless told', rate)
    .option('--room-waiting <n>', 'submissions that wait for the disk, 256 unless told', whole)
    .option('--room-waiting-size <bytes>', 'of these together, 8388608 unless told', whole)
    .option('--max-rooms <n>', 'rooms at a time, 10000 unless told', whole)
    .option('--max-members <n>', 'members of a room, 250 unless told', whole)
    .option('--log-entries <n>', 'of each room, for members that missed some', whole)
    .option('--empty-room <seconds>', 'how long a room waits for members that vanished', whole)
    .option('--ops-port <n>', 'metrics and health on 127.0.0.1; 0 takes any free one', whole, 9465)
    .option('--log-level <level>', 'least severe line that is written', 'info')
    .addOption(
      new Option('--log-format <format>').choices(['auto', 'json', 'text']).default('auto'),
    )
    .exitOverride()
    .parse([...argv], { from: 'user' })
    .opts<Options>()
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  const log = createLogger({ level: options.logLevel, format: options.logFormat })
  tokenOf(options)
  const store = options.dataDir === undefined ? null : openStore(options.dataDir, log)
  const sequencer = new Sequencer(settingsOf(options), {
    ...(store && { store }),
    onProblem: (problem) => log.error(problem),
    onInternalError: (err) => log.error({ err }, 'a handshake was lost by a bug of ours'),
  })
  const rooms = sequencer.restore(Date.now())
  const link = makeLink(options, sequencer, log)
  const ops = await startOps(options, sequencer, link, log, stop)
  void link.start()
  log.info({ relay: options.relay, ops: ops.url, rooms }, 'ready')

  let stopping = false
  function stop(): void {
    if (stopping) return
    stopping = true
    link.close()
    store?.close()
    // The close of the session is still on its way.
    void ops.close().then(() => setTimeout(() => process.exit(0), 50))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function makeLink(options: Options, sequencer: Sequencer, log: Logger): RelayLink {
  const { relay } = options
  return new RelayLink({
    relay,
    connect,
    trust: trustOf(options),
    token: () => tokenOf(options),
    sequencer,
    clock: systemClock,
    wallClock: Date.now,
    random: Math.random,
    onConnected: () => log.info({ relay }, 'connected'),
    onLost: (reason, retryMs) => log.warn({ relay, reason, retryMs }, 'not connected'),
    onRefused: ({ participant, ...refusal }) => {
      log.info(refusal, 'handshake refused')
      log.debug({ participant, ...refusal }, 'handshake refused')
    },
    onRejected: (what, { code, reason }) =>
      log.error({ code, reason }, `the relay does not allow the delivery service ${what}`),
  })
}

function startOps(
  { opsPort }: Options,
  sequencer: Sequencer,
  link: RelayLink,
  log: Logger,
  drain: () => void,
): Promise<Listening> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerDeliveryMetrics(registry, sequencer)
  return startOpsServer({
    host: '127.0.0.1',
    port: opsPort,
    metrics: registry,
    notReady: () => (link.connected ? [] : ['the relay is not connected']),
    debug: null,
    rooms: (room) =>
      roomsView(
        {
          names: () => [],
          room: () => null,
          groupNames: () => sequencer.roomNames(),
          group: (name) => sequencer.dumpRoom(name),
        },
        room,
      ),
    drain,
    revoke: null,
    log,
  })
}

function openStore(directory: string, log: Logger): FileStore {
  return FileStore.open(directory, {
    processId: process.pid,
    onRepaired: (what) => log.warn(what),
  })
}

function settingsOf(options: Options) {
  const { memberRate, roomRate, roomWaiting, roomWaitingSize } = options
  const { maxRooms, maxMembers, logEntries, emptyRoom } = options
  return {
    ...(memberRate && { memberRate }),
    ...(roomRate && { roomRate }),
    ...(roomWaiting !== undefined && { waiting: roomWaiting }),
    ...(roomWaitingSize !== undefined && { waitingBytes: roomWaitingSize }),
    ...(maxRooms !== undefined && { rooms: maxRooms }),
    ...(maxMembers !== undefined && { members: maxMembers }),
    ...(logEntries !== undefined && { logEntries }),
    ...(emptyRoom !== undefined && { emptyRoomMs: emptyRoom * 1000 }),
  }
}

function trustOf({ certificateHash, insecure }: Options): Trust {
  if (certificateHash !== undefined) {
    return { kind: 'hash', sha256: certificateHash.replaceAll(':', '').toLowerCase() }
  }
  return insecure ? { kind: 'none' } : { kind: 'roots' }
}

/** @throws TokenError when the file cannot be read */
function tokenOf({ token, tokenFile }: Options): string | null {
  if (tokenFile === undefined) return token ?? null
  try {
    return readFileSync(tokenFile, 'utf8').trim()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new TokenError(`cannot read the token: ${why}`)
  }
}

function relayUrl(text: string): string {
  try {
    parseAddress(text)
    return text
  } catch (error) {
    if (error instanceof ConnectError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function rate(text: string): Rate {
  const [, burst, perSecond] = /^(\d{1,6})\/(\d{1,6}(?:\.\d+)?)$/.exec(text) ?? []
  if (burst === undefined || perSecond === undefined) {
    throw new InvalidArgumentError('It must be like 16/2: at once, and each second.')
  }
  return { burst: Number(burst), perSecond: Number(perSecond) }
}

main().catch((error) => {
  // Commander has said it already.
  if (error instanceof CommanderError) process.exit(error.exitCode)
  const known =
    error instanceof StorageError || error instanceof TokenError || error instanceof ListenError
  const text = known ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`sotto delivery: ${text}\n`)
  process.exit(1)
})
