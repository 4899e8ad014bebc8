/**
 * `<sotto-call>`: a whole call as one element, for pages of any framework or none. Importing this
 * defines it.
 */

import { SottoCallElement } from './sotto-call.ts'

export { SottoCallElement }

declare global {
  interface HTMLElementTagNameMap {
    'sotto-call': SottoCallElement
  }
}

if (customElements.get('sotto-call') === undefined) {
  customElements.define('sotto-call', SottoCallElement)
}
