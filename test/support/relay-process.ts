/** The relay as a person starts it: a process of its own, on ports of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface RelayProcess {
  readonly urls: { readonly relay: string; readonly web: string; readonly ops: string }
  /** Everything that it wrote. */
  readonly output: () => string
  /** Settles with its exit code when it ends. */
  readonly exited: Promise<number | null>
  /** Sends it a signal, e.g. SIGHUP. */
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>
}

export interface RelayExit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['sfu/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs the relay with arguments that make it end, and waits for that. */
export async function runRelay(args: readonly string[]): Promise<RelayExit> {
  const child = run(args)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

/** Starts the relay on free ports and waits until it says `ready`. */
export async function startRelay(args: readonly string[] = []): Promise<RelayProcess> {
  const ports = ['--port', '0', '--http-port', '0', '--ops-port', '0', '--drain-timeout', '500ms']
  const child = run([...ports, '--log-format', 'json', ...args])
  let output = ''
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const urls = await new Promise<RelayProcess['urls']>((resolve, reject) => {
    const read = (chunk: unknown) => {
      output += String(chunk)
      for (const line of output.split('\n')) {
        if (line.includes('"msg":"ready"')) resolve(JSON.parse(line))
      }
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}: ${output}`)))
  })
  return {
    urls,
    output: () => output,
    exited,
    signal: (name) => void child.kill(name),
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM')
      return exited
    },
  }
}
