import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

it('the shaper runs as a process, obeys its input and stops at its end', async () => {
  const child = spawn(process.execPath, [MAIN, '--to', '127.0.0.1:9', '--down', 'rate=1m'])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async () => JSON.parse((await lines.next()).value ?? '')
  expect((await read()).listening).toBeGreaterThan(0)
  child.stdin.write('down rate=2m\nfly\nstats\n')
  expect(await read()).toMatchObject({ clients: 0, down: { offered: 0, backlog: 0 } })
  const [complaint] = await new Promise<[string]>((resolve) =>
    child.stderr.once('data', (text) => resolve([String(text)])),
  )
  expect(complaint).toContain('fly is none of down, up, stats')
  child.stdin.end()
  expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(0)
}, 20_000)

it('the shaper says what is wrong with its options', async () => {
  const child = spawn(process.execPath, [MAIN, '--to', 'nowhere'])
  let text = ''
  child.stderr.on('data', (chunk) => {
    text += String(chunk)
  })
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1)
  expect(text).toBe('shaper: --to is no IPv4 address with a port\n')
}, 20_000)
