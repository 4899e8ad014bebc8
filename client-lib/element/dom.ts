/** The few things that the element does to its shadow tree. */

/**
 * @param part as a page's styles name it (`::part(tile)`); the element's own styles go by the same name
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  part: string,
  children: readonly Node[] = [],
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  element.setAttribute('part', part)
  element.className = part
  element.append(...children)
  return element
}

/** Leaves the text as it is where it says that already: screen readers speak what changes. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
  element.hidden = text === ''
}
