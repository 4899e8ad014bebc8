import { describe, expect, it } from 'vitest'
import { createLogger, toText } from './log.ts'

function capture(format: 'json' | 'text', level = 'debug') {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { lines, log: createLogger({ level, format, destination }) }
}

describe('createLogger', () => {
  it('writes one JSON object a line', () => {
    const { lines, log } = capture('json')
    log.info({ relay: 'https://127.0.0.1:4433', web: 'x', ops: 'y' }, 'ready')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/\n$/)
    const entry = JSON.parse(lines[0] ?? '')
    expect(entry).toMatchObject({ level: 'info', msg: 'ready', relay: 'https://127.0.0.1:4433' })
    expect(entry.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(lines[0]).toContain('"msg":"ready"')
  })

  it('keeps to the level', () => {
    const { lines, log } = capture('json', 'warn')
    log.info('no')
    log.warn('yes')
    expect(lines).toHaveLength(1)
  })

  it('never writes secrets', () => {
    const { lines, log } = capture('json')
    const jwt = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.${'S3cr3t'.repeat(8)}`
    const pem = '-----BEGIN PRIVATE KEY-----\nS3cr3t\n-----END PRIVATE KEY-----\n'
    log.info({ token: 'S3cr3t', user: { token: 'S3cr3t', deep: { privateKey: 'S3cr3t' } } }, 'a')
    log.child({ authorization: 'Bearer S3cr3t' }).info('b')
    log.info({ path: '/?room=demo&token=S3cr3t&name=anna' }, `session of ${jwt}`)
    log.info({ tls: { cert: 'public', key: pem }, note: pem }, 'c')
    log.error({ err: new Error(`bad token ${jwt}`) }, 'd')
    log.info(`got ${pem}`)
    expect(lines).toHaveLength(6)
    expect(lines.join()).not.toContain('S3cr3t')
    expect(lines.join()).toContain('/?room=demo&token=[redacted]&name=anna')
    for (const line of lines) JSON.parse(line)
  })

  it('writes text that a person can read and a peer cannot bend', () => {
    const { lines, log } = capture('text')
    log.info({ relay: 'https://127.0.0.1:4433', rooms: 2, reason: 'gone "away"' }, 'ready')
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}ready relay=https:\/\/127\.0\.0\.1:4433 rooms=2 reason="gone/,
    )
    log.error({ err: new Error('it broke') }, 'failed')
    expect(lines[1]).toMatch(/ERROR failed\n {4}Error: it broke\n {4} {4}at /)
    log.warn({ name: '\u001b[2J\u009b31m' }, 'a\nb\u001b]0;title\u0007')
    expect(lines[2]?.trimEnd()).not.toMatch(/\p{Cc}/u)
  })

  it('passes on what is not JSON', () => {
    expect(toText('plain\n')).toBe('plain\n')
  })
})
