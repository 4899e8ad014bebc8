/** Single keys for what is done often in a call. The person can turn them off. */

export type ShortcutAction =
  | 'microphone'
  | 'camera'
  | 'screen'
  | 'chat'
  | 'people'
  | 'layout'
  | 'devices'
  | 'statistics'
  | 'verification'
  | 'invite'
  | 'help'

export interface Shortcut {
  /** As on the key. */
  readonly key: string
  readonly action: ShortcutAction
  /** What it does. */
  readonly text: string
}

export const SHORTCUTS: readonly Shortcut[] = [
  { key: 'M', action: 'microphone', text: 'Turn the microphone on or off' },
  { key: 'V', action: 'camera', text: 'Turn the camera on or off' },
  { key: 'S', action: 'screen', text: 'Share the screen, or stop' },
  { key: 'C', action: 'chat', text: 'Open or close the chat' },
  { key: 'P', action: 'people', text: 'Open or close the list of people' },
  { key: 'L', action: 'layout', text: 'Change between grid and speaker' },
  { key: 'D', action: 'devices', text: 'Choose camera, microphone and speaker' },
  { key: 'I', action: 'invite', text: 'Show the link to this call' },
  { key: 'E', action: 'verification', text: 'Show how to check the encryption' },
  { key: 'G', action: 'statistics', text: 'Open or close the statistics' },
  { key: '?', action: 'help', text: 'Show these shortcuts' },
]

/** What of a keyboard event matters. */
export interface Press {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly repeat: boolean
}

/**
 * What a key press asks for; null: nothing, as with a modifier, which belongs to the browser.
 * @param writing the person is writing a text, or a dialog is open
 */
export function actionOf(press: Press, writing: boolean): ShortcutAction | null {
  if (writing || press.repeat || press.ctrlKey || press.metaKey || press.altKey) return null
  const key = press.key.toUpperCase()
  return SHORTCUTS.find((shortcut) => shortcut.key === key)?.action ?? null
}

/** Whether what has the focus takes letters for itself. */
export function takesLetters(focused: Element | null): boolean {
  if (focused === null) return false
  const writing = 'input:not([type="checkbox"]), textarea, select, [contenteditable="true"]'
  return (
    focused.matches(writing) || focused.closest('dialog[open], [popover]:popover-open') !== null
  )
}
