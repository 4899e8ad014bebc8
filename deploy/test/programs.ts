/** Programs that some tests need and `npm ci` does not bring. */

import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'

/** Whether a program is installed: it can be started at all. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Ends the name of a test that is skipped for want of programs, with the reason. */
export function because(...programs: readonly string[]): string {
  const missing = programs.filter((program) => !isInstalled(program))
  return missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} not installed)`
}

export interface Outcome {
  readonly code: number | null
  readonly output: string
}

/** Runs a program to its end. @param input what it reads */
export function run(program: string, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    const read = (chunk: unknown) => {
      output += String(chunk)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
    child.stdin.end(input)
  })
}

/** A TCP port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
