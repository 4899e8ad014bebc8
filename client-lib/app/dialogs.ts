/** The page's dialogs: modal, so that the focus stays inside; Escape or a click beside closes them. */

import { find } from './dom.ts'

/** @returns the dialog, which closes on a click beside it */
export function dialogOf(selector: string): HTMLDialogElement {
  const dialog = find(selector, HTMLDialogElement)
  // The backdrop is part of the dialog; its contents are not.
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close()
  })
  return dialog
}
