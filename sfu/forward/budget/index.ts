/**
 * What a subscriber's path carries: its budget in bits a second, from the engine's congestion signal
 * or, where there is none, from the receiver's reports; and the probes with padding that find out
 * whether it carries more. Pure but for the time and figures that are passed in.
 */

export { Budget, type BudgetOptions, type BudgetSettings, DEFAULT_BUDGET } from './budget.ts'
export { InFlight } from './in-flight.ts'
export { PaddingSource } from './padding-source.ts'
export type { PathSample } from './path-sample.ts'
export type { ArrivalFigures } from './path-signal.ts'
export type { ProbeResult } from './prober.ts'
export { CounterWindow } from './windows.ts'
