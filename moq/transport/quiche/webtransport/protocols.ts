/**
 * Negotiation of the application protocol (draft-ietf-webtrans-http3, Section 3.3):
 * `wt-available-protocols` is a structured field, a list of strings; `wt-protocol` is one string
 * (RFC 9651, Sections 3.1 and 3.3.3).
 */

const MAX_PROTOCOLS = 64

/** The strings of the list; empty where the field is malformed, which means it is ignored. */
export function parseProtocolList(field: string): string[] {
  const parser = new Parser(field)
  const list: string[] = []
  parser.skip(/[ ]*/y)
  if (parser.isDone) return list
  for (;;) {
    const item = parser.string()
    if (item === null || !parser.parameters() || list.length === MAX_PROTOCOLS) return []
    list.push(item)
    parser.skip(/[ \t]*/y)
    if (parser.isDone) return list
    if (!parser.skip(/,[ \t]*/y) || parser.isDone) return []
  }
}

/** The string of the item, or null where the field is malformed. */
export function parseProtocol(field: string): string | null {
  const parser = new Parser(field.trim())
  const item = parser.string()
  return item !== null && parser.parameters() && parser.isDone ? item : null
}

/** @param protocols ASCII names */
export function formatProtocolList(protocols: readonly string[]): string {
  return protocols.map(formatProtocol).join(', ')
}

export function formatProtocol(protocol: string): string {
  return `"${protocol.replaceAll(/["\\]/g, '\\$&')}"`
}

class Parser {
  #text: string
  #offset = 0

  constructor(text: string) {
    this.#text = text
  }

  get isDone(): boolean {
    return this.#offset === this.#text.length
  }

  /** Moves over what a sticky expression matches here. @returns whether it matched */
  skip(expression: RegExp): boolean {
    return this.#match(expression) !== null
  }

  #match(expression: RegExp): string | null {
    expression.lastIndex = this.#offset
    const match = expression.exec(this.#text)
    if (match === null) return null
    this.#offset = expression.lastIndex
    return match[0]
  }

  string(): string | null {
    const quoted = this.#match(/"(?:[ !#-[\]-~]|\\["\\])*"/y)
    return quoted === null ? null : quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1')
  }

  /** Moves over parameters, whose meaning nobody has defined. @returns whether they are well-formed */
  parameters(): boolean {
    while (this.skip(/;[ ]*/y)) {
      if (!this.skip(/[a-z*][a-z0-9_.*-]*/y)) return false
      if (this.skip(/=/y) && this.string() === null && !this.skip(/[A-Za-z0-9*?:+/@._-]+/y)) {
        return false
      }
    }
    return true
  }
}
