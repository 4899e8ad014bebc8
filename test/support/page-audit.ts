/** What a person without eyes, hands or patience would stumble over on a page as it stands now. */

import type { Page } from 'playwright-core'

/** @returns a sentence for each fault; none for a page that can be used by all */
export function auditPage(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = []
    const shown = (element: Element) => element.checkVisibility({ visibilityProperty: true })
    const textOf = (id: string) => document.getElementById(id)?.textContent?.trim() ?? ''
    const nameOf = (element: Element): string => {
      const byIds = element.getAttribute('aria-labelledby')?.split(' ').map(textOf).join(' ')
      const label = element.getAttribute('aria-label') ?? byIds
      if (label !== undefined) return label.trim()
      if (
        element instanceof HTMLInputElement ||
        element instanceof HTMLTextAreaElement ||
        element instanceof HTMLSelectElement
      ) {
        return [...(element.labels ?? [])].map((one) => one.textContent?.trim()).join(' ')
      }
      return element.textContent?.trim() ?? ''
    }
    const describe = (element: Element) =>
      element.id === '' ? element.outerHTML.slice(0, 90) : `#${element.id}`
    const named =
      'button, input, textarea, select, dialog[open], [role="img"], [role="log"], [role="group"], section, nav'
    for (const element of document.querySelectorAll(named)) {
      if (shown(element) && nameOf(element) === '') faults.push(`${describe(element)} has no name`)
    }
    for (const attribute of [
      'aria-labelledby',
      'aria-describedby',
      'aria-controls',
      'popovertarget',
    ]) {
      for (const element of document.querySelectorAll(`[${attribute}]`)) {
        for (const id of element.getAttribute(attribute)!.split(' ')) {
          if (!document.getElementById(id)) faults.push(`${describe(element)} refers to no ${id}`)
        }
      }
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
    for (const id of new Set(ids)) {
      if (ids.filter((one) => one === id).length > 1) faults.push(`#${id} is there twice`)
    }
    for (const list of document.querySelectorAll('ul, ol')) {
      for (const child of list.children) {
        if (child.tagName !== 'LI') faults.push(`${describe(list)} has a ${child.tagName} in it`)
      }
    }
    for (const element of document.querySelectorAll('[tabindex]')) {
      if (Number(element.getAttribute('tabindex')) > 0)
        faults.push(`${describe(element)} jumps ahead`)
    }
    for (const picture of document.querySelectorAll('img:not([alt])')) {
      faults.push(`${describe(picture)} says not what it shows`)
    }
    for (const element of document.querySelectorAll('*')) {
      const hasBars = /auto|scroll/.test(getComputedStyle(element).overflowY)
      const overflows = hasBars && element.scrollHeight > element.clientHeight
      const reachable = element.matches('[tabindex], textarea, dialog, html, body')
      if (shown(element) && overflows && !reachable) {
        faults.push(`${describe(element)} cannot be scrolled by keyboard`)
      }
    }
    for (const button of document.querySelectorAll('button')) {
      const { width, height } = button.getBoundingClientRect()
      if (shown(button) && Math.min(width, height) < 40) {
        faults.push(`${describe(button)} is ${width} x ${height}: too small for a finger`)
      }
    }
    const heads = [...document.querySelectorAll('h1')].filter(shown)
    if (heads.length !== 1) faults.push(`there are ${heads.length} first headings`)
    if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is too wide')
    if (document.documentElement.lang === '') faults.push('the page has no language')
    return faults
  })
}
