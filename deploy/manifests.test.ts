import { globSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../sfu/config.ts'
import { dig, listOf, read } from './test-support.ts'
import { parseYaml, type Yaml } from './yaml.ts'

/** The relay's settings by variables; throws for what it does not know. */
function configOf(env: Record<string, string>) {
  const config = parseConfig([], env, () => '')
  if (config.command === 'print') throw new Error('no configuration')
  return config
}

const texts = (value: Yaml | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(value ?? {}).map(([key, one]) => [key, String(one)]))

/** `30s` as ms. */
const ms = (text: Yaml | undefined) => Number(/^(\d+)s$/.exec(String(text))?.[1]) * 1000

describe('the Kubernetes manifests', () => {
  const names = readdirSync(new URL('kubernetes/', import.meta.url))
  const manifests = new Map(names.map((name) => [name, parseYaml(read(`kubernetes/${name}`))]))
  const pod = dig(manifests.get('relay.yaml'), 'spec', 'template', 'spec')
  const container = dig(pod, 'containers', 0)
  const environment = texts(dig(manifests.get('config.yaml'), 'data'))

  it('are all listed, each with kind, version and name', () => {
    const kustomization = manifests.get('kustomization.yaml')
    const listed = listOf(dig(kustomization, 'resources'))
    expect([...listed, 'kustomization.yaml'].sort()).toEqual(names.sort())
    const kinds = listed.map((name) => {
      const manifest = manifests.get(String(name))
      expect(dig(manifest, 'metadata', 'name'), String(name)).toMatch(/^[a-z][a-z0-9-]{0,62}$/)
      return `${dig(manifest, 'apiVersion')} ${dig(manifest, 'kind')}`
    })
    expect(kinds).toEqual(['v1 Namespace', 'v1 ConfigMap', 'apps/v1 Deployment', 'v1 Service'])
  })

  it('have no field that these kinds do not', () => {
    const known: Record<string, readonly string[]> = {
      deployment: ['replicas', 'strategy', 'selector', 'template'],
      pod: [
        'hostNetwork',
        'dnsPolicy',
        'automountServiceAccountToken',
        'terminationGracePeriodSeconds',
        'securityContext',
        'containers',
        'volumes',
      ],
      container: [
        'name',
        'image',
        'envFrom',
        'env',
        'ports',
        'startupProbe',
        'livenessProbe',
        'readinessProbe',
        'resources',
        'securityContext',
        'volumeMounts',
      ],
      probe: ['httpGet', 'periodSeconds', 'timeoutSeconds', 'failureThreshold'],
      port: ['name', 'containerPort', 'hostPort', 'protocol'],
    }
    const check = (kind: string, value: Yaml | undefined) => {
      expect(
        Object.keys(value ?? {}).filter((key) => !known[kind]!.includes(key)),
        kind,
      ).toEqual([])
    }
    check('deployment', dig(manifests.get('relay.yaml'), 'spec'))
    check('pod', pod)
    check('container', container)
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      check('probe', dig(container, probe))
    }
    for (const port of listOf(dig(container, 'ports'))) check('port', port)
  })

  it('give the relay a configuration that it takes, and more time to end than its drain needs', () => {
    const config = configOf({ ...environment, SOTTO_OPS_HOST: '192.0.2.1' })
    const grace = Number(dig(pod, 'terminationGracePeriodSeconds')) * 1000
    expect(grace).toBeGreaterThanOrEqual(config.drainTimeoutMs + 10_000)
    expect(config.auth.kind).not.toBe('none')
    const mounts = listOf(dig(container, 'volumeMounts')).map((mount) => dig(mount, 'mountPath'))
    expect(mounts).toContain(config.tlsCert?.replace(/\/[^/]+$/, ''))
  })

  it('put it on the network of the host, with the ports on which it listens', () => {
    const config = configOf(environment)
    expect(dig(pod, 'hostNetwork')).toBe(true)
    expect(dig(pod, 'dnsPolicy')).toBe('ClusterFirstWithHostNet')
    const ports = listOf(dig(container, 'ports')).map((port) => {
      expect(dig(port, 'hostPort')).toBe(dig(port, 'containerPort'))
      return `${dig(port, 'containerPort')}/${dig(port, 'protocol')}`
    })
    const { port, httpPort, opsPort } = config
    expect(ports).toEqual([`${port}/UDP`, `${port}/TCP`, `${httpPort}/TCP`, `${opsPort}/TCP`])
    const service = manifests.get('service.yaml')
    expect(dig(service, 'spec', 'ports', 0, 'port')).toBe(opsPort)
    const labels = dig(manifests.get('relay.yaml'), 'spec', 'template', 'metadata', 'labels')
    expect(dig(manifests.get('relay.yaml'), 'spec', 'selector', 'matchLabels')).toEqual(labels)
    expect(dig(service, 'spec', 'selector')).toEqual(labels)
  })

  it('probe life and readiness where the relay answers', () => {
    const paths = { startupProbe: '/livez', livenessProbe: '/livez', readinessProbe: '/readyz' }
    for (const [probe, path] of Object.entries(paths)) {
      expect(dig(container, probe, 'httpGet')).toEqual({ path, port: 'ops' })
    }
  })

  it('give it few rights', () => {
    expect(dig(pod, 'securityContext')).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(dig(container, 'securityContext')).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(dig(pod, 'automountServiceAccountToken')).toBe(false)
    expect(dig(container, 'resources', 'limits', 'memory')).toBeDefined()
    expect(dig(container, 'image')).not.toMatch(/:latest$|^[^:]+$/)
  })
})

describe('the compose file', () => {
  const compose = parseYaml(read('compose/compose.yaml'))
  const services = dig(compose, 'services')
  const relay = dig(services, 'relay')

  it('gives the relay a configuration that it takes, and more time than its drain needs', () => {
    const config = configOf(texts(dig(relay, 'environment')))
    expect(ms(dig(relay, 'stop_grace_period'))).toBeGreaterThan(config.drainTimeoutMs + 5000)
    expect(listOf(dig(relay, 'volumes'))).toContain(`relay-data:${config.dataDir}`)
  })

  it('publishes nothing beyond this machine, and the ops port not at all', () => {
    const ports = Object.values(services ?? {}).flatMap((service) => listOf(dig(service, 'ports')))
    expect(ports).toContain('127.0.0.1:4433:4433/udp')
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    expect(JSON.stringify(dig(relay, 'ports'))).not.toContain('9464')
  })

  it('runs the relay on a root that is read-only, without capabilities', () => {
    expect(relay).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    })
  })

  it('mounts files that are there, and scrapes the relay under its name', () => {
    for (const service of ['prometheus', 'grafana']) {
      for (const volume of listOf(dig(services, service, 'volumes'))) {
        const [source = ''] = String(volume).split(':')
        if (!source.startsWith('../')) continue
        const isFolder = !/\.\w+$/.test(source)
        const path = new URL(`compose/${source}`, import.meta.url)
        expect(
          isFolder ? readdirSync(path).length : read(`compose/${source}`).length,
        ).toBeGreaterThan(0)
      }
    }
    const scrape = dig(parseYaml(read('prometheus/prometheus.yml')), 'scrape_configs', 0)
    expect(dig(scrape, 'job_name')).toBe('sotto')
    expect(dig(scrape, 'static_configs', 0, 'targets')).toEqual(['relay:9464'])
    const provider = parseYaml(read('grafana/provisioning/dashboards/sotto.yaml'))
    const folder = dig(provider, 'providers', 0, 'options', 'path')
    expect(listOf(dig(services, 'grafana', 'volumes'))).toContain(
      `../grafana/dashboards:${folder}:ro`,
    )
  })
})

describe('the Dockerfile', () => {
  const text = read('Dockerfile')
  const last = text.slice(text.lastIndexOf('\nFROM '))

  it('makes a slim image that is not root, with a health check, and Node as its first process', () => {
    expect(last).toMatch(/^\nFROM node:24-\w+-slim$/m)
    expect(last).toMatch(/^USER 10001:10001$/m)
    expect(last).toMatch(/^HEALTHCHECK .*\n? *CMD \["node"/m)
    expect(last).toMatch(/^ENTRYPOINT \["node", "sfu\/main\.ts"\]$/m)
    expect(last.indexOf('USER ')).toBeLessThan(last.indexOf('ENTRYPOINT'))
  })

  it('takes into it what the relay stands on, and no more', () => {
    const copied = [...last.matchAll(/^COPY --from=build \/src\/(\S+) /gm)].map(([, path]) => path)
    const needed = ['package.json', 'node_modules', 'dist/app', 'moq', 'sframe', 'sfu']
    expect(copied).toEqual(needed)
  })

  it('has every package that the relay loads after npm prune', () => {
    const manifest = JSON.parse(read('../package.json'))
    const kept = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    const root = fileURLToPath(new URL('..', import.meta.url))
    const texts = ['moq', 'sframe', 'sfu']
      .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
      .filter((file) => !/\.test\.ts$|\/test\//.test(file))
      .map((file) => read(`../${file}`))
      .filter((text) => !/vitest|fast-check/.test(text))
    const imports = /(?:from|import\() ?'((?:@[^/']+\/)?[^./'][^/']*)[^']*'/g
    const loaded = new Set(
      texts.flatMap((text) => [...text.matchAll(imports)].map(([, name]) => name!)),
    )
    expect(loaded).toContain('pino')
    const missing = [...loaded].filter((name) => !name.startsWith('node:') && !kept.includes(name))
    expect(missing).toEqual([])
  })

  it('starts the relay with a configuration that it takes', () => {
    const variables = [...last.matchAll(/\b(SOTTO_\w+)=(\S+)/g)].map(([, name, value]) => {
      return [name!, value!] as const
    })
    expect(configOf(Object.fromEntries(variables))).toMatchObject({ host: '0.0.0.0' })
  })
})

describe('the systemd unit', () => {
  const text = read('systemd/sotto.service')
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]

  it('drains on stop, reloads on SIGHUP and gives more time than the drain needs', () => {
    const variables = value('Environment')!
      .split(' ')
      .map((one) => one.split('='))
    const { NODE_ENV: _, ...sotto } = Object.fromEntries(variables)
    const config = configOf(sotto)
    expect(Number(value('TimeoutStopSec')) * 1000).toBeGreaterThan(config.drainTimeoutMs + 5000)
    expect(value('KillSignal')).toBe('SIGTERM')
    expect(value('ExecReload')).toBe('/bin/kill -HUP $MAINPID')
    expect(config.dataDir).toBe(`/var/lib/${value('StateDirectory')}`)
  })

  it('has few rights', () => {
    const rights = ['NoNewPrivileges', 'PrivateDevices', 'PrivateTmp', 'ProtectHome']
    for (const right of rights) expect([right, value(right)]).toEqual([right, 'yes'])
    expect(value('ProtectSystem')).toBe('strict')
    expect(value('CapabilityBoundingSet')).toBe('')
    expect(value('User')).toBe('sotto')
  })
})

describe('the sysctl file', () => {
  it('allows as much for a UDP socket as the relay asks for', () => {
    const text = read('sysctl/60-sotto.conf')
    for (const key of ['rmem_max', 'wmem_max']) {
      const bytes = Number(new RegExp(`^net\\.core\\.${key} = (\\d+)$`, 'm').exec(text)?.[1])
      expect(bytes).toBeGreaterThanOrEqual(4 * 1024 * 1024)
    }
  })
})
