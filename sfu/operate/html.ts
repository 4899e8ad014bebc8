/** HTML whose values are escaped, whatever they hold: names of rooms and tracks come from peers. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | Html | readonly Value[]

/** A template of HTML: strings and numbers are text, `Html` stands as it is, lists follow each other. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(
    parts.map((part, at) => part + (at < values.length ? show(values[at]!) : '')).join(''),
  )
}

function show(value: Value): string {
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(show).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
