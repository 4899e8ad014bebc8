/** What Linux says of a process, and Node of the machine. */

import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'

export interface ProcessSample {
  /** CPU time since it began, user and system, s. */
  readonly cpuSeconds: number
  readonly rssBytes: number
}

/** `getconf CLK_TCK` and `PAGESIZE` of Linux on the machines that Node runs on. */
const TICKS_A_SECOND = 100
const STATUS_UNIT = 1024

/** @param stat contents of /proc/<pid>/stat; @param status of /proc/<pid>/status */
export function parseProcess(stat: string, status: string): ProcessSample {
  // The name, in parentheses, may contain anything: fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[11]), Number(fields[12])]
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return {
    cpuSeconds: (user + system) / TICKS_A_SECOND,
    rssBytes: Number(rss ?? 0) * STATUS_UNIT,
  }
}

/** Of a process and those that it started, together. Null where it is gone, or this is not Linux. */
export async function sampleProcess(pid: number): Promise<ProcessSample | null> {
  const own = await sampleOne(pid)
  const children = await Promise.all((await childrenOf(pid)).map(sampleOne))
  return children.reduce((sum, child) => (sum && child ? added(sum, child) : sum), own)
}

function added(a: ProcessSample, b: ProcessSample): ProcessSample {
  return { cpuSeconds: a.cpuSeconds + b.cpuSeconds, rssBytes: a.rssBytes + b.rssBytes }
}

async function childrenOf(pid: number): Promise<number[]> {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

async function sampleOne(pid: number): Promise<ProcessSample | null> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ])
    return parseProcess(stat, status)
  } catch {
    return null
  }
}

/** ms of all cores since the machine began. */
export interface MachineSample {
  readonly busyMs: number
  readonly idleMs: number
}

export function sampleMachine(): MachineSample {
  let [busyMs, idleMs] = [0, 0]
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq
    idleMs += times.idle
  }
  return { busyMs, idleMs }
}

/** Share of all cores that was busy between two samples, 0..1. */
export function busyShare(before: MachineSample, after: MachineSample): number {
  const busy = after.busyMs - before.busyMs
  const idle = after.idleMs - before.idleMs
  return busy + idle === 0 ? 0 : busy / (busy + idle)
}
