import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../moq/session/index.ts'
import { type Config, ConfigError, configWarnings, parseConfig, version } from './config.ts'
import { engineLimitsOf } from './config-connection.ts'
import { admissionLimitsOf, relayLimitsOf, sessionLimitsOf } from './config-limits.ts'
import { options } from './config-options.ts'
import { policeSettingsOf } from './config-police.ts'
import { DEFAULT_LIMITS as DEFAULT_ENGINE_LIMITS } from './engine/index.ts'
import { DEFAULT_POLICE, UNLIMITED } from './forward/police/index.ts'
import { DEFAULT_RELAY_LIMITS } from './relay/limits.ts'

const files: Record<string, string> = {
  'sotto.json': JSON.stringify({ port: 1001, httpPort: '1002', logLevel: 'warn', https: true }),
  'typo.json': JSON.stringify({ htpPort: 1 }),
  'list.json': '[]',
  'broken.json': '{"port": 1,}',
  'wrong.json': JSON.stringify({ port: 'many' }),
  'cert.pem': 'certificate',
  'key.pem': 'key',
  'jwks.json': '{"keys":[]}',
}

function readFile(path: string): string {
  const text = files[path]
  if (text !== undefined) return text
  const code = path === 'secret.pem' ? 'EACCES' : path === 'folder' ? 'EISDIR' : 'ENOENT'
  throw Object.assign(new Error(`${code}: long text of the system`), { code })
}

function parse(argv: string[], env: Record<string, string> = {}): Config {
  const config = parseConfig(argv, env, readFile)
  if (config.command === 'print') throw new Error('printed')
  return config
}

function problem(argv: string[], env: Record<string, string> = {}): string {
  try {
    parse(argv, env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message
  }
  throw new Error('no error')
}

describe('parseConfig', () => {
  it('needs nothing', () => {
    expect(parse([])).toMatchObject({
      command: 'start',
      host: '127.0.0.1',
      port: 4433,
      httpPort: 8080,
      opsHost: '127.0.0.1',
      opsPort: 9464,
      tlsCert: null,
      engine: 'auto',
      auth: { kind: 'none' },
      logLevel: 'info',
      publicUrl: null,
      drainTo: null,
    })
  })

  it('has defaults that its own schemas and help agree with', () => {
    const defaults = parse([])
    for (const [key, option] of Object.entries(options)) {
      if (option.fallbackText === null) continue
      const given = parse([`--${option.flag}`, option.fallbackText])
      expect(given[key as keyof Config], key).toEqual(defaults[key as keyof Config])
    }
  })

  it('puts flags before variables before the file before defaults', () => {
    const env = { SOTTO_CONFIG: 'sotto.json', SOTTO_HTTP_PORT: '2002', SOTTO_OPS_PORT: '2003' }
    const config = parse(['--ops-port', '3003'], env)
    expect(config).toMatchObject({ opsPort: 3003, httpPort: 2002, port: 1001, logLevel: 'warn' })
    expect(config.https).toBe(true)
    expect(parse(['--config', 'sotto.json'], { SOTTO_CONFIG: 'missing.json' }).port).toBe(1001)
  })

  it('takes an empty variable for one that is not set', () => {
    expect(parse([], { SOTTO_PORT: '', SOTTO_CONFIG: '' }).port).toBe(4433)
  })

  it('reads units, switches, URLs and files', () => {
    expect(
      parse([
        ...['--idle-timeout', '1.5s', '--handshake-timeout', '500ms', '--session-buffer', '2MiB'],
        ...['--public-url', 'https://SFU.example.com:443/moq/', '--https', '--port', '0'],
        ...['--tls-cert', 'cert.pem', '--tls-key', 'key.pem', '--auth', 'jwks.json'],
      ]),
    ).toMatchObject({
      idleTimeoutMs: 1500,
      handshakeTimeoutMs: 500,
      sessionBufferBytes: 2 * 1024 * 1024,
      publicUrl: 'https://sfu.example.com/moq',
      https: true,
      port: 0,
      auth: { kind: 'jwks-file', path: 'jwks.json' },
    })
    const url = 'https://id.example.com/jwks'
    expect(parse([], { SOTTO_AUTH: url }).auth).toEqual({ kind: 'jwks-url', url })
    expect(parse([], { SOTTO_HTTPS: '0' }).https).toBe(false)
    expect(parse(['--auth', 'http://127.0.0.1:1/jwks']).auth.kind).toBe('jwks-url')
    expect(parse(['--host', '::1', '--ops-host', '0.0.0.0']).host).toBe('::1')
  })

  it('reads where callers are sent when the relay drains, and takes nothing that is no address of one', () => {
    const drainTo = (value: string) => parse(['--drain-to', value]).drainTo
    expect(drainTo('https://Other.example.com:4433/call/')).toBe(
      'https://other.example.com:4433/call',
    )
    expect(parse([], { SOTTO_DRAIN_TO: 'https://b.example' }).drainTo).toBe('https://b.example')
    for (const wrong of [
      'other.example.com:4433',
      'http://other.example.com',
      'https://user@other.example.com',
      'https://other.example.com/?room=1',
      'https://other.example.com/#part',
    ]) {
      expect(problem(['--drain-to', wrong]), wrong).toContain('must be an https:// address')
    }
  })

  it('takes as many workers as there are cores when told so', () => {
    const { workers } = parse(['--workers', 'auto'])
    expect(workers).toBe(Math.min(64, availableParallelism()))
    expect(parse(['--workers', '2', '--port', '0', '--http-port', '1']).workers).toBe(2)
  })

  it('reads lists with commas, as JSON, or as all', () => {
    files['lists.json'] = JSON.stringify({ paths: ['/', '/a%20b'], authorities: 'a.example:1, b' })
    expect(parse(['--config', 'lists.json'])).toMatchObject({
      paths: ['/', '/a%20b'],
      authorities: ['a.example:1', 'b'],
    })
    const env = { SOTTO_PATHS: 'all', SOTTO_AUTHORITIES: '[::1]:4433,[2001:db8::1]' }
    expect(parse(['--config', 'lists.json'], env)).toMatchObject({
      paths: [],
      authorities: ['[::1]:4433', '[2001:db8::1]'],
    })
    expect(parse(['--paths', '/call, /call/two'], env).paths).toEqual(['/call', '/call/two'])
  })

  it('reads rates with their units, and wants the start between the ends', () => {
    const rates = ['--start-rate', '300kbit', '--min-rate', '100kbit', '--max-rate', '2Mbit']
    const others = ['--probing', 'off', '--congestion-control', 'cubic']
    expect(parse([...rates, ...others])).toMatchObject({
      congestionControl: 'cubic',
      startRate: 300_000,
      minRate: 100_000,
      maxRate: 2_000_000,
      probing: false,
    })
    expect(() => parse(['--start-rate', '5'])).toThrow('must be a rate from 10kbit to 10Gbit')
    expect(() => parse(['--max-rate', '500kbit'])).toThrow('must lie between')
    expect(() => parse(['--congestion-control', 'x'])).toThrow('must be bbr, cubic or reno')
  })

  it('takes check-config before and after flags', () => {
    expect(parse(['check-config', '--port', '1']).command).toBe('check-config')
    expect(parse(['--port', '1', 'check-config']).command).toBe('check-config')
    expect(parse(['start']).command).toBe('start')
  })

  it('prints help and version', () => {
    const help = parseConfig(['--help'], {}, readFile)
    expect(help.command).toBe('print')
    const text = help.command === 'print' ? help.text : ''
    for (const { flag } of Object.values(options)) expect(text).toContain(`--${flag}`)
    expect(text).toContain('SOTTO_HTTP_PORT')
    expect(parseConfig(['--version'], {}, readFile)).toEqual({
      command: 'print',
      text: `${version}\n`,
    })
  })
})

describe('an unusable configuration', () => {
  const cases: [string[], Record<string, string>, string][] = [
    [['--prot', '1'], {}, "unknown option '--prot'; did you mean --port?"],
    [['--zzzzzz'], {}, "unknown option '--zzzzzz'; see --help"],
    [['--port'], {}, "option '--port <number>' argument missing; see --help"],
    [['chek'], {}, 'Allowed choices are start, check-config; see --help'],
    [['start', 'again'], {}, 'too many arguments'],
    [['--port', '65536'], {}, '--port must be a whole number from 0 to 65535; it is "65536"'],
    [['--port', '-1'], {}, '--port must be a whole number from 0 to 65535; it is "-1"'],
    [['--port', '1e3'], {}, '--port must be a whole number'],
    [['--port', ''], {}, '--port must be a whole number'],
    [[], { SOTTO_HTTP_PORT: 'x' }, 'SOTTO_HTTP_PORT must be a whole number from 0 to 65535; it is'],
    [[], { SOTTO_HTTPPORT: '1' }, 'unknown variable SOTTO_HTTPPORT; did you mean SOTTO_HTTP_PORT?'],
    [[], { SOTTO_ZZZZZZ: '' }, 'unknown variable SOTTO_ZZZZZZ; see --help for the names'],
    [['--config', 'typo.json'], {}, 'unknown key "htpPort" in typo.json; did you mean httpPort?'],
    [['--config', 'none.json'], {}, '--config: cannot read none.json: no such file'],
    [['--config', 'broken.json'], {}, 'broken.json is not valid JSON: '],
    [['--config', 'list.json'], {}, 'list.json must hold one JSON object'],
    [['--config', 'wrong.json'], {}, '"port" in wrong.json must be a whole number'],
    [['--host', 'a:1'], {}, '--host must be an IP address or a host name, without a port'],
    [['--host', 'a/b'], {}, '--host must be an IP address or a host name, without a port'],
    [['--engine', 'x'], {}, '--engine must be one of auto, fails, quiche; it is "x"'],
    [
      ['--log-level', 'loud'],
      {},
      '--log-level must be one of trace, debug, info, warn, error, sil',
    ],
    [['--idle-timeout', '30'], {}, '--idle-timeout must be a time from 1s to 1h; it is "30"'],
    [['--idle-timeout', '2h'], {}, '--idle-timeout must be a time from 1s to 1h'],
    [['--session-buffer', '1B'], {}, '--session-buffer must be a size from 64KiB to 1GiB'],
    [['--public-url', 'http://a'], {}, '--public-url must be an https:// address'],
    [['--public-url', 'https://u:p@a'], {}, '--public-url must be an https:// address'],
    [['--public-url', 'https://a/?b'], {}, '--public-url must be an https:// address'],
    [['--paths', 'call'], {}, '--paths must be all, or paths that begin with /'],
    [['--paths', '/a,,/b'], {}, '--paths must be all, or paths that begin with /'],
    [['--paths', '/a?b'], {}, '--paths must be all, or paths that begin with / and have no query'],
    [['--paths', '/a b'], {}, '--paths must be all, or paths that begin with /'],
    [['--authorities', 'https://a'], {}, '--authorities must be all, or hosts with or without a'],
    [['--authorities', '[::g]'], {}, '--authorities must be all, or hosts'],
    [['--authorities', ''], {}, '--authorities must be all, or hosts'],
    [['--send-buffer', '1KiB'], {}, '--send-buffer must be a size from 256KiB to 16GiB'],
    [[], { SOTTO_HTTPS: 'yes' }, 'SOTTO_HTTPS must be true or false; it is "yes"'],
    [['--tls-cert', 'cert.pem'], {}, '--tls-cert needs its private key: add --tls-key <file>'],
    [['--tls-key', 'key.pem'], {}, '--tls-key needs its certificate: add --tls-cert <file>'],
    [['--tls-cert', 'no', '--tls-key', 'key.pem'], {}, '--tls-cert: cannot read no: no such file'],
    [
      ['--tls-cert', 'cert.pem'],
      { SOTTO_TLS_KEY: 'secret.pem' },
      'SOTTO_TLS_KEY: cannot read secret.pem: permission denied',
    ],
    [['--auth', 'folder'], {}, '--auth: cannot read folder: it is a folder'],
    [['--auth', 'http://id.example.com/'], {}, '--auth must be none, or a JWKS'],
    [['--auth', 'ftp://id.example.com/'], {}, '--auth must be none, or a JWKS'],
    [['--http-port', '4433'], {}, '--port and --http-port are both 4433; choose two ports'],
    [
      ['--workers', '3', '--http-port', '4435'],
      {},
      '--workers and --http-port both need 4435; choose two ports',
    ],
    [
      ['--workers', '2', '--port', '65535'],
      {},
      '--workers 2 needs ports up to 65536; choose a lower --port',
    ],
    [['--workers', '0'], {}, '--workers must be a whole number from 1 to 64, or auto; it is "0"'],
    [
      ['--workers', '2', '--delivery', 'none'],
      {},
      '--delivery none needs --workers 1: a delivery service has one relay',
    ],
  ]
  it.each(cases)('%j %j', (argv, env, message) => {
    const told = problem(argv, env)
    expect(told).toContain(message)
    expect(told).not.toContain('\n')
  })

  it('does not take names of Object.prototype for keys', () => {
    files['proto.json'] = '{"__proto__": 1, "constructor": 2}'
    expect(problem(['--config', 'proto.json'])).toContain('unknown key')
  })
})

describe('limits', () => {
  it('are the defaults of the session and the relay unless told', () => {
    const config = parse([])
    expect(sessionLimitsOf(config)).toEqual(DEFAULT_LIMITS)
    expect(relayLimitsOf(config)).toEqual(DEFAULT_RELAY_LIMITS)
  })

  it('are those of the engines, but for what a relay of calls needs otherwise', () => {
    expect(engineLimitsOf(parse([]))).toEqual({
      ...DEFAULT_ENGINE_LIMITS,
      maxSessions: 2000,
      idleTimeoutMs: 15_000,
      bidiStreams: 2048,
    })
    const config = parse([
      ...['--max-sessions', '3', '--max-handshakes', '4', '--idle-timeout', '5s'],
      ...['--handshake-timeout', '6s', '--uni-streams', '70', '--bidi-streams', '80'],
      ...['--connection-window', '90KiB', '--stream-window', '1MiB'],
      ...['--send-buffer', '1MiB', '--stream-send-buffer', '2MiB', '--token-cache', '1KiB'],
    ])
    expect(engineLimitsOf(config)).toEqual({
      maxSessions: 3,
      maxHandshakes: 4,
      idleTimeoutMs: 5000,
      handshakeTimeoutMs: 6000,
      uniStreams: 70,
      bidiStreams: 80,
      connectionWindow: 90 * 1024,
      // A stream gets no more than its connection.
      streamWindow: 90 * 1024,
      datagramQueue: DEFAULT_ENGINE_LIMITS.datagramQueue,
      sessionBuffer: 2 ** 20,
      streamBuffer: 2 ** 20,
      udpPayload: DEFAULT_ENGINE_LIMITS.udpPayload,
    })
    expect(admissionLimitsOf(config)).toEqual({ tokenCacheBytes: 1024, firstTokenMs: 6000 })
  })

  it('come from flags, variables and the file', () => {
    files['limits.json'] = JSON.stringify({ maxFetches: 7, cacheBytesPerTrack: '2MiB' })
    const config = parse(
      ['--max-requests', '9', '--cache-bytes', '1GiB', '--config', 'limits.json'],
      { SOTTO_MAX_SUBSCRIPTIONS: '11', SOTTO_STREAM_TIMEOUT: '3s' },
    )
    expect(sessionLimitsOf(config)).toMatchObject({ maxRequests: 9, dataStreamMs: 3000 })
    expect(relayLimitsOf(config)).toMatchObject({
      maxSubscriptions: 11,
      maxFetches: 7,
      maxCacheBytes: 2 ** 30,
      maxCacheBytesPerTrack: 2 ** 21,
    })
  })

  it('must be possible, and a track gets no more than all tracks together', () => {
    expect(problem(['--max-requests', '0'])).toContain(
      '--max-requests must be a whole number from 1',
    )
    expect(problem(['--cache-bytes', 'lots'])).toContain('--cache-bytes must be a size from 0B to')
    expect(problem(['--max-name-size', '5KiB'])).toContain('--max-name-size must be a size')
    const small = relayLimitsOf(parse(['--cache-bytes', '0B', '--cache-objects', '10']))
    expect(small).toMatchObject({ maxCacheBytesPerTrack: 0, maxCacheObjectsPerTrack: 10 })
  })
})

describe('what a session may publish', () => {
  it('is bounded, and each bound can be lifted or set', () => {
    expect(policeSettingsOf(parse([]))).toEqual(DEFAULT_POLICE)
    const lifted = policeSettingsOf(parse(['--publish-rate', 'none', '--track-objects', '0']))
    expect(lifted.session.bytes).toEqual(UNLIMITED)
    expect(lifted.track.base.objects).toEqual(UNLIMITED)
    expect(lifted.session.objects.perSecond).toBe(5000)
    const { track } = policeSettingsOf(parse(['--video-rate', '800', '--audio-rate', '80']))
    expect([track.base.bytes, track.audio.bytes]).toEqual([
      { perSecond: 100_000, burst: 200_000 },
      { perSecond: 10_000, burst: 20_000 },
    ])
    expect(problem(['--screen-rate', 'much'])).toContain('--screen-rate must be a whole number')
  })

  it('lets the largest object pass', () => {
    const { session, track, floors } = policeSettingsOf(
      parse(['--max-object-size', '100MiB', '--publish-rate', '8', '--signalling-rate', '8']),
    )
    const largest = 100 * 2 ** 20
    expect(session.bytes.burst * (1 - floors.other)).toBeGreaterThan(largest)
    expect(track.signalling.bytes.burst).toBe(largest)
  })
})

describe('configWarnings', () => {
  it('is silent on loopback and warns beyond it', () => {
    expect(configWarnings(parse([]))).toEqual([])
    const open = configWarnings(parse(['--host', '0.0.0.0', '--ops-host', '0.0.0.0']))
    expect(open.join()).toMatch(/add --auth.*--https.*--ops-host/)
    const guarded = parse(['--host', '0.0.0.0', '--https', '--auth', 'jwks.json'])
    expect(configWarnings(guarded)).toEqual([])
    expect(configWarnings(parse(['--keylog', 'x']))[0]).toContain('--keylog')
  })

  it('warns of a public address that is not served', () => {
    const at = (url: string) =>
      configWarnings(parse(['--public-url', url, '--paths', '/call', '--authorities', 'a.example']))
    expect(at('https://a.example:444/call')).toEqual([])
    expect(at('https://a.example')[0]).toContain('--public-url is not among --paths')
    expect(at('https://b.example/call')).toHaveLength(1)
  })
})
