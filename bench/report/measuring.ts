import { describeMachine, machineLine } from './machine.ts'
import type { Report } from './report.ts'

/** A measurement by this process that is under way: on which machine, and since when. */
export class Measuring {
  private readonly machine = describeMachine()
  private readonly startedAt = new Date()
  private readonly started = performance.now()
  private readonly cpu = process.cpuUsage()
  private readonly print: (text: string) => void

  constructor(print: (text: string) => void) {
    this.print = print
    print(machineLine(this.machine))
  }

  /** Cores that this process took so far. */
  get cpuCores(): number {
    const { user, system } = process.cpuUsage(this.cpu)
    return (user + system) / 1000 / (performance.now() - this.started)
  }

  /** @param invalidBecause is told to the reader too */
  report(scenario: string, target: string, invalidBecause: readonly string[]): Report {
    for (const fault of invalidBecause) this.print(`\nnot valid: ${fault}\n`)
    return {
      scenario,
      target,
      machine: this.machine,
      startedAt: this.startedAt.toISOString(),
      durationS: Math.round(performance.now() - this.started) / 1000,
      valid: invalidBecause.length === 0,
      invalidBecause,
    }
  }
}
