/** How the values of settings are written and read: numbers, times and sizes with units, each in bounds. */

import { z } from 'zod'

/** One setting. `flag` is its name on the command line without dashes. */
export interface Option<Value> {
  readonly flag: string
  /** What stands for the value in the help, or null for a switch. */
  readonly value: string | null
  readonly help: string
  readonly group: string
  readonly fallback: Value
  /** How the default reads in the help; null shows none. */
  readonly fallbackText: string | null
  /** Takes a string (flag, variable) or a JSON value (file). Its message ends "must be …". */
  readonly schema: z.ZodType<Value>
}

type Units = Readonly<Record<string, number>>

const durationUnits: Units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const sizeUnits: Units = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}

const rateUnits: Units = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 }

/** Reads a number with its unit, e.g. `30s` or `16MiB`; NaN where it is neither. */
function quantity(text: string, units: Units): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text) ?? []
  const scale = unit === undefined ? undefined : units[unit]
  return digits === undefined || scale === undefined ? Number.NaN : Math.round(+digits * scale)
}

/** The number in the largest unit that leaves it whole. */
function textOf(amount: number, units: Units): string {
  const whole = Object.entries(units).filter(([, scale]) => amount > 0 && amount % scale === 0)
  const [unit, scale] = whole.reduce((a, b) => (b[1] > a[1] ? b : a), Object.entries(units)[0]!)
  return `${amount / scale}${unit}`
}

function measured(units: Units, least: string, most: string) {
  const example = units === durationUnits ? 'a time' : units === rateUnits ? 'a rate' : 'a size'
  const error = `must be ${example} from ${least} to ${most}`
  const low = quantity(least, units)
  const high = quantity(most, units)
  return z
    .string({ error })
    .transform((text) => quantity(text, units))
    .refine((amount) => amount >= low && amount <= high, { error })
}

/** A time with its unit, as text, to ms. */
export function duration(least: string, most: string) {
  return measured(durationUnits, least, most)
}

/** A size with its unit, as text, to bytes. */
export function size(least: string, most: string) {
  return measured(sizeUnits, least, most)
}

export function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`
  const digits = z.string().regex(/^\d+$/).transform(Number)
  return z
    .union([z.number(), digits], { error })
    .refine((number) => Number.isInteger(number) && number >= least && number <= most, { error })
}

/** A bound as an option: its flag, what it bounds, and the default. */
interface Bound {
  readonly flag: string
  readonly help: string
  readonly fallback: number
  readonly group: string
}

export function countOption(bound: Bound, least: number, most: number): Option<number> {
  const fallbackText = String(bound.fallback)
  return { ...bound, value: '<number>', fallbackText, schema: wholeNumber(least, most) }
}

export function sizeOption(bound: Bound, least: string, most: string): Option<number> {
  const fallbackText = textOf(bound.fallback, sizeUnits)
  return { ...bound, value: '<size>', fallbackText, schema: size(least, most) }
}

/** Bits a second, as text such as `500kbit`. */
export function rateOption(bound: Bound, least: string, most: string): Option<number> {
  const fallbackText = textOf(bound.fallback, rateUnits)
  return { ...bound, value: '<rate>', fallbackText, schema: measured(rateUnits, least, most) }
}

export function timeOption(bound: Bound, least: string, most: string): Option<number> {
  const fallbackText = textOf(bound.fallback, durationUnits)
  return { ...bound, value: '<time>', fallbackText, schema: duration(least, most) }
}
