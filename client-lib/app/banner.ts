/** One line above the pictures: what is going on with the call, and what the person can do about it. */

import { element, find, setText } from './dom.ts'

export interface Banner {
  /** Empty: there is nothing to say. */
  readonly text: string
  /** Something is wrong. */
  readonly urgent?: boolean
  readonly actions?: readonly BannerAction[]
}

export interface BannerAction {
  readonly label: string
  run(): void
}

export class BannerView {
  readonly #text = find('#banner', HTMLElement)
  readonly #actions = find('#banner-actions', HTMLElement)
  #shown: readonly BannerAction[] = []

  show({ text, urgent = false, actions = [] }: Banner): void {
    setText(this.#text, text)
    this.#text.parentElement?.classList.toggle('urgent', urgent)
    const labels = (list: readonly BannerAction[]) => list.map(({ label }) => label).join()
    const isSame = labels(actions) === labels(this.#shown)
    this.#shown = actions
    // A button that has the focus stays: what it does is looked up when it is pressed.
    if (isSame) return
    this.#actions.replaceChildren(
      ...actions.map(({ label }, at) => {
        const button = element('button', label, 'quiet')
        button.type = 'button'
        button.addEventListener('click', () => this.#shown[at]?.run())
        return button
      }),
    )
  }
}
