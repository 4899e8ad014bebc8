/** The numbers at a relay's `/metrics` (Prometheus text format) that a run is read from. */

/** Value of each sample, by its name and labels as they are written. */
export type Metrics = ReadonlyMap<string, number>

export function parseMetrics(text: string): Metrics {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const at = line.lastIndexOf(' ')
    samples.set(line.slice(0, at), Number(line.slice(at + 1)))
  }
  return samples
}

/** Values of a metric by the value of its only label. */
export function byLabel(metrics: Metrics, name: string): Record<string, number> {
  const values: Record<string, number> = {}
  for (const [key, value] of metrics) {
    const label = key.startsWith(`${name}{`) && /="([^"]*)"\}$/.exec(key)?.[1]
    if (typeof label === 'string') values[label] = value
  }
  return values
}

/** All values of a metric that have this label; null when there is none. @param label `name="value"` */
export function sumWith(metrics: Metrics, name: string, label: string): number | null {
  let sum: number | null = null
  for (const [key, value] of metrics) {
    if (key.startsWith(`${name}{`) && key.includes(label)) sum = (sum ?? 0) + value
  }
  return sum
}

/** Null when the relay cannot be asked. */
export async function scrape(ops: string): Promise<Metrics | null> {
  try {
    const answer = await fetch(`${ops}/metrics`)
    return answer.ok ? parseMetrics(await answer.text()) : null
  } catch {
    return null
  }
}
