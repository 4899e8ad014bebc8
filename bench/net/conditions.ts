/** Link conditions as a person writes them: `rate=500k,delay=40,jitter=10,loss=0.02,queue=64k`. */

import type { LinkConditions } from '../../sfu/simulation/net/link.ts'

const FIELDS: Readonly<Record<string, keyof LinkConditions>> = {
  rate: 'rate',
  delay: 'delayMs',
  jitter: 'jitterMs',
  loss: 'loss',
  queue: 'queueBytes',
}
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1_000_000 }

/**
 * Only what is named: rate (bits/s), delay and jitter (ms), loss (0..1) and queue (bytes); `k` and `m`
 * stand for thousand and million, `rate=none` for no bottleneck.
 * @throws RangeError with a sentence for a person
 */
export function parseConditions(text: string): Partial<LinkConditions> {
  const conditions: { -readonly [Field in keyof LinkConditions]?: number } = {}
  for (const part of text.split(',').filter((piece) => piece !== '')) {
    const [name, value = ''] = part.split('=')
    const field = Object.hasOwn(FIELDS, name!) ? FIELDS[name!] : undefined
    if (!field) throw new RangeError(`${name} is none of ${Object.keys(FIELDS).join(', ')}`)
    conditions[field] = parseValue(field, value)
  }
  return conditions
}

function parseValue(field: keyof LinkConditions, text: string): number {
  if (field === 'rate' && text === 'none') return Number.POSITIVE_INFINITY
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([km]?)$/.exec(text) ?? []
  const value = digits === undefined ? Number.NaN : Number(digits) * UNITS[unit!]!
  if (Number.isNaN(value) || (field === 'loss' && value > 1)) {
    throw new RangeError(`${text || 'nothing'} is no ${field}`)
  }
  return value
}
