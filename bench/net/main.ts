/**
 * The shaper as a process: `node bench/net/main.ts --to 127.0.0.1:4433 --down rate=500k,delay=40`.
 * It prints a line of JSON when it listens. Each line on its input changes the network
 * (`down rate=4m`, `up loss=0.05`) or asks for `stats`, answered by a line of JSON; at the end of its
 * input it stops.
 */

import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { parseConditions } from './conditions.ts'
import { Shaper } from './shaper.ts'

const OPTIONS = {
  to: { type: 'string' },
  port: { type: 'string', default: '0' },
  down: { type: 'string', default: '' },
  up: { type: 'string', default: '' },
  seed: { type: 'string', default: '1' },
} as const

function addressOf(text: string | undefined): { host: string; port: number } {
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(text ?? '') ?? []
  if (host === undefined) throw new RangeError('--to is no IPv4 address with a port')
  return { host, port: Number(port) }
}

function print(fields: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`)
}

function obey(shaper: Shaper, line: string): void {
  const [word, conditions = ''] = line.trim().split(/\s+/)
  if (word === 'stats') print({ ...shaper.stats() })
  else if (word === 'down') shaper.change({ down: parseConditions(conditions) })
  else if (word === 'up') shaper.change({ up: parseConditions(conditions) })
  else if (word !== '') throw new RangeError(`${word} is none of down, up, stats`)
}

function complain(error: unknown): void {
  process.stderr.write(`shaper: ${error instanceof Error ? error.message : String(error)}\n`)
}

try {
  const { values } = parseArgs({ options: OPTIONS })
  const shaper = await Shaper.start({
    to: addressOf(values.to),
    listen: { port: Number(values.port) },
    down: parseConditions(values.down),
    up: parseConditions(values.up),
    seed: Number(values.seed),
  })
  print({ listening: shaper.port })
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    try {
      obey(shaper, line)
    } catch (error) {
      complain(error)
    }
  })
  lines.on('close', () => void shaper.close())
} catch (error) {
  complain(error)
  process.exitCode = 1
}
