/**
 * Reads the part of YAML that the files here use: maps, lists, plain and quoted scalars, `|` texts, empty
 * `{}` and `[]`, short lists in brackets, comments. Anything else is an error, so that nothing is
 * misread in silence.
 */

export type Yaml = string | number | boolean | null | Yaml[] | { [key: string]: Yaml }

interface Line {
  readonly indent: number
  readonly text: string
  readonly number: number
}

/** @throws Error with the number of the line that it does not understand */
export function parseYaml(source: string): Yaml {
  const reader = new YamlReader(source)
  const value = reader.block(0)
  reader.end()
  return value
}

class YamlReader {
  private readonly raw: readonly string[]
  private readonly lines: Line[] = []
  private at = 0

  constructor(source: string) {
    this.raw = source.split('\n')
    this.raw.forEach((raw, index) => {
      if (raw.includes('\t')) throw new Error(`line ${index + 1}: a tab`)
      const text = withoutComment(raw).trimEnd()
      if (text.trim() === '') return
      const indent = text.length - text.trimStart().length
      this.lines.push({ indent, text: text.trim(), number: index + 1 })
    })
  }

  /** @param indent of the block, or more */
  block(indent: number): Yaml {
    const line = this.lines[this.at]
    if (line === undefined || line.indent < indent) return null
    return line.text.startsWith('- ') ? this.list(line.indent) : this.map(line.indent)
  }

  end(): void {
    const line = this.lines[this.at]
    if (line !== undefined) throw new Error(`line ${line.number}: unexpected "${line.text}"`)
  }

  private list(indent: number): Yaml[] {
    const items: Yaml[] = []
    for (let line = this.lines[this.at]; line?.indent === indent; line = this.lines[this.at]) {
      if (!line.text.startsWith('- ')) break
      const rest = line.text.slice(2).trimStart()
      const inner = indent + line.text.length - rest.length
      if (isEntry(rest)) {
        // What follows the dash is the first entry of a map.
        this.lines[this.at] = { ...line, indent: inner, text: rest }
        items.push(this.map(inner))
      } else {
        this.at++
        items.push(scalar(rest, line.number))
      }
    }
    return items
  }

  private map(indent: number): Yaml {
    const map: { [key: string]: Yaml } = {}
    for (let line = this.lines[this.at]; line?.indent === indent; line = this.lines[this.at]) {
      const [, key, rest = ''] = /^([\w./$-]+|"[^"]*"):(?: +(.*))?$/.exec(line.text) ?? []
      if (key === undefined) throw new Error(`line ${line.number}: no key in "${line.text}"`)
      const name = key.replaceAll('"', '')
      if (Object.hasOwn(map, name)) throw new Error(`line ${line.number}: ${name} comes twice`)
      this.at++
      if (rest === '|') map[name] = this.literal(line)
      else if (rest !== '') map[name] = scalar(rest, line.number)
      else map[name] = this.below(indent)
    }
    return map
  }

  /** A list may stand at the indent of its key. */
  private below(indent: number): Yaml {
    const next = this.lines[this.at]
    if (next?.indent === indent && next.text.startsWith('- ')) return this.list(indent)
    return this.block(indent + 1)
  }

  private literal({ indent, number }: Line): string {
    const text: string[] = []
    for (let index = number; index < this.raw.length; index++) {
      const raw = this.raw[index]!
      if (raw.trim() !== '' && raw.length - raw.trimStart().length <= indent) break
      text.push(raw)
    }
    while ((this.lines[this.at]?.number ?? Number.POSITIVE_INFINITY) <= number + text.length)
      this.at++
    const margin = (text[0]?.length ?? 0) - (text[0]?.trimStart().length ?? 0)
    return `${text
      .map((line) => line.slice(margin))
      .join('\n')
      .trimEnd()}\n`
  }
}

function isEntry(text: string): boolean {
  return /^[\w./$-]+:( |$)/.test(text)
}

/** A `#` begins a comment at the start of a line or behind a space; in quotes it is not understood. */
function withoutComment(line: string): string {
  return line.replace(/(^|\s)#.*$/, '')
}

function scalar(text: string, line: number): Yaml {
  if (text === '{}') return {}
  const list = /^\[(.*)\]$/.exec(text)?.[1]
  if (list !== undefined) {
    return list.trim() === '' ? [] : list.split(',').map((item) => scalar(item.trim(), line))
  }
  const quoted = /^"([^"\\]*)"$|^'([^']*)'$/.exec(text)
  if (quoted) return quoted[1] ?? quoted[2] ?? ''
  if (/^[[\]{}&*!|>%@`"',?]|: |:$/.test(text)) {
    throw new Error(`line ${line}: "${text}" is more than this reader knows`)
  }
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null' || text === '~') return null
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
