/** Plain text tables, the first column to the left and figures to the right. */

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`
}

/** `1234567` as `1.23 M`: three significant digits and a unit prefix. */
export function compact(value: number): string {
  const prefixes = ['', ' k', ' M', ' G', ' T']
  let scaled = value
  let step = 0
  while (Math.abs(scaled) >= 999.5 && step < prefixes.length - 1) {
    scaled /= 1000
    step++
  }
  const digits = scaled >= 99.5 ? 0 : scaled >= 9.95 ? 1 : 2
  return `${scaled.toFixed(digits)}${prefixes[step]}`
}
