import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { LinkConditions } from '../../../sfu/simulation/net/link.ts'

const SHAPER = fileURLToPath(new URL('../../net/main.ts', import.meta.url))

export interface LinkEnds {
  readonly down: Partial<LinkConditions>
  readonly up: Partial<LinkConditions>
}

/** A shaped network in a process of its own: who connects to its port reaches the relay through it. */
export class LinkProcess {
  readonly port: number
  private readonly child: ChildProcessByStdio<Writable, Readable, null>

  private constructor(port: number, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.port = port
    this.child = child
  }

  /** @param to the relay, IPv4 */
  static async start(
    to: { readonly host: string; readonly port: number },
    ends: LinkEnds,
    seed: number,
  ): Promise<LinkProcess> {
    const child = spawn(
      process.execPath,
      [
        ...[SHAPER, '--to', `${to.host}:${to.port}`, '--seed', String(seed)],
        ...['--down', conditionsText(ends.down), '--up', conditionsText(ends.up)],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const reader: Interface = createInterface({ input: child.stdout })
    const lines = reader[Symbol.asyncIterator]()
    const { value, done } = await lines.next()
    if (done) throw new Error('the shaper did not start')
    return new LinkProcess(JSON.parse(value).listening, child)
  }

  change(ends: Partial<LinkEnds>): void {
    if (ends.down) this.child.stdin.write(`down ${conditionsText(ends.down)}\n`)
    if (ends.up) this.child.stdin.write(`up ${conditionsText(ends.up)}\n`)
  }

  stop(): void {
    this.child.stdin.end()
  }
}

/** As `parseConditions` reads them. */
export function conditionsText(conditions: Partial<LinkConditions>): string {
  const { rate, delayMs, jitterMs, loss, queueBytes } = conditions
  const parts = [
    rate !== undefined && `rate=${Number.isFinite(rate) ? rate : 'none'}`,
    delayMs !== undefined && `delay=${delayMs}`,
    jitterMs !== undefined && `jitter=${jitterMs}`,
    loss !== undefined && `loss=${loss}`,
    queueBytes !== undefined && `queue=${queueBytes}`,
  ]
  return parts.filter((part) => part !== false).join(',')
}
