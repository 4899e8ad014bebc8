import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Where a benchmark ran; without it its figures mean nothing. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly os: string
  readonly node: string
  readonly v8: string
  /** Processes that wanted a core in the minute before the start. */
  readonly loadAverage: number
}

export function describeMachine(): Machine {
  const cores = cpus()
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryBytes: totalmem(),
    os: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    v8: process.versions.v8,
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryBytes, os, node, loadAverage } = machine
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`
  return `${cpu}, ${cores} cores, ${memory}, ${os}, Node ${node}, load ${loadAverage}\n`
}
