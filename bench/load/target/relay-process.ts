import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const START_MS = 30_000

/** As a load test needs it: free ports, and no limit that stands for one household. */
const ARGS = [
  ...['--port', '0', '--http-port', '0', '--ops-port', '0'],
  ...['--engine', 'quiche', '--log-level', 'info', '--log-format', 'json'],
  ...['--max-sessions', '100000', '--max-sessions-per-address', '100000'],
  ...['--max-subscribers-per-track', '100000', '--drain-timeout', '0ms'],
]

interface Ready {
  readonly msg?: string
  readonly relay?: string
  readonly web?: string
  readonly ops?: string
}

type Addresses = Required<Pick<Ready, 'relay' | 'web' | 'ops'>>

/** A relay of our own in another process, as `npm start` would start it. */
export class RelayProcess {
  readonly pid: number
  /** Host and UDP port. */
  readonly host: string
  readonly port: number
  /** Origin of the call page. */
  readonly web: string
  /** Origin of its ops server. */
  readonly ops: string
  private readonly child: ChildProcess

  private constructor(child: ChildProcess, ready: Addresses) {
    const { hostname, port } = new URL(ready.relay)
    this.child = child
    this.pid = child.pid!
    this.host = hostname
    this.port = Number(port)
    this.web = ready.web
    this.ops = ready.ops
  }

  /**
   * @param args flags further to those of a load test
   * @param profiles directory into which it writes a CPU and an allocation profile when it ends
   * @throws Error with what it wrote, when it does not come up
   */
  static async start(
    args: readonly string[] = [],
    profiles: string | null = null,
  ): Promise<RelayProcess> {
    const flags = profiles === null ? [] : profileFlags(profiles)
    const child = spawn(process.execPath, [...flags, 'sfu/main.ts', ...ARGS, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // A bench that ends in any way leaves no relay behind.
    const kill = () => void child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('exit', () => process.off('exit', kill))
    let written = ''
    child.stderr.on('data', (chunk) => {
      written += String(chunk)
    })
    const ready = Promise.withResolvers<Addresses>()
    // Read on to its end, or its output would fill the pipe and stop it.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, relay, web, ops } = parseLine(line)
      if (msg === 'ready' && relay && web && ops) ready.resolve({ relay, web, ops })
    })
    const timer = setTimeout(() => ready.reject(new Error('it was not ready in time')), START_MS)
    child.on('error', ready.reject)
    child.on('exit', (code) => ready.reject(new Error(`it ended with ${code}: ${written.trim()}`)))
    try {
      return new RelayProcess(child, await ready.promise)
    } catch (error) {
      child.kill('SIGKILL')
      throw new Error('the relay did not start', { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }

  get url(): string {
    return `moqt://${this.host}:${this.port}/`
  }

  /** Where a room is served, over raw QUIC. */
  async urlOf(room: string): Promise<string> {
    const answer = await fetch(`${this.web}/config.json?${new URLSearchParams({ room })}`)
    const { relay }: Ready = await answer.json()
    if (relay === undefined) throw new Error('the relay does not say where a room is')
    return `moqt://${new URL(relay).host}/`
  }

  /** SIGTERM, and SIGKILL if it takes too long. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    await gone
    clearTimeout(timer)
  }
}

function profileFlags(directory: string): string[] {
  const dir = resolve(directory)
  return ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--heap-prof', `--heap-prof-dir=${dir}`]
}

function parseLine(line: string): Ready {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}
