/** The page's markup stands in `index.html`; this finds it, with its type. */

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
