/** A Prometheus that scrapes one relay each second and evaluates our rules. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './programs.ts'

const RULES = fileURLToPath(new URL('../prometheus/sotto-alerts.yml', import.meta.url))

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  /** Time, and the number as text. */
  readonly value: readonly [number, string]
}

export interface RuleHealth {
  readonly name: string
  readonly health: string
  readonly lastError?: string
}

export class PrometheusProcess {
  private readonly child: ChildProcess
  private readonly url: string
  private readonly folder: string

  private constructor(child: ChildProcess, url: string, folder: string) {
    this.child = child
    this.url = url
    this.folder = folder
  }

  /** @param ops the relay's ops server */
  static async start(ops: string): Promise<PrometheusProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-prometheus-'))
    const config = join(folder, 'prometheus.yml')
    await writeFile(
      config,
      `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [${JSON.stringify(RULES)}]
scrape_configs:
  - job_name: sotto
    static_configs: [{targets: [${JSON.stringify(new URL(ops).host)}]}]
`,
    )
    const address = `127.0.0.1:${await freePort()}`
    const child = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: 'ignore' },
    )
    const prometheus = new PrometheusProcess(child, `http://${address}`, folder)
    await prometheus.until(async () => (await fetch(`http://${address}/-/ready`)).ok)
    return prometheus
  }

  /** Series that an instant query gives. */
  async query(expr: string): Promise<Series[]> {
    const answer = await this.get(`/api/v1/query?query=${encodeURIComponent(expr)}`)
    if (answer.status !== 'success') throw new Error(`${expr}: ${answer.error}`)
    return answer.data.result
  }

  async rules(): Promise<RuleHealth[]> {
    const { data } = await this.get('/api/v1/rules')
    return data.groups.flatMap((group: { rules: RuleHealth[] }) => group.rules)
  }

  /** Looks again and again; an answer that fails counts as no. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 30_000
    while (!(await holds().catch(() => false))) {
      if (Date.now() > end) throw new Error('Prometheus did not come so far in 30 s')
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit')
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await exited
    await rm(this.folder, { recursive: true })
  }

  private async get(path: string) {
    return (await fetch(`${this.url}${path}`)).json()
  }
}
