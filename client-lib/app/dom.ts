/** The page's markup stands in `index.html`; this finds it, with its type, and makes what comes and goes. */

/** @throws Error when the markup and the code have parted */
export function find<T extends Element>(
  selector: string,
  type: new () => T,
  within: ParentNode = document,
): T {
  const element = within.querySelector(selector)
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} at ${selector}`)
  return element
}

/** Leaves the document alone where nothing changed, so that screen readers speak only of news. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** A new element with a text, which is never read as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text: string,
  className = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  if (className !== '') made.className = className
  made.textContent = text
  return made
}

const SVG = 'http://www.w3.org/2000/svg'

/** An icon of the sprite in `index.html`; what it means is said in words beside it. */
export function icon(name: string, className = ''): SVGElement {
  const picture = svg('svg', { class: `icon ${className}`.trim(), 'aria-hidden': 'true' })
  picture.append(svg('use', { href: `#icon-${name}` }))
  return picture
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>>,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}
