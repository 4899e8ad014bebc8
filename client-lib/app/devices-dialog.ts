/** Camera, microphone and speaker of the call, to be changed while it goes on. */

import type { Call, DeviceChange, DeviceKind } from '../index.ts'
import { DevicePickers } from './device-pickers.ts'
import { dialogOf } from './dialogs.ts'
import { find, setText } from './dom.ts'

const KINDS: readonly DeviceKind[] = ['microphone', 'camera', 'speaker']

export class DevicesDialog {
  readonly #dialog = dialogOf('#devices')
  readonly #news = find('#devices-news', HTMLElement)
  readonly #pickers = new DevicePickers('call-', KINDS, (kind, id) => void this.#choose(kind, id))
  readonly #onLost: (message: string) => void
  #call: Call | null = null

  /** @param onLost a device was unplugged, and another has taken its place; for a person */
  constructor(onLost: (message: string) => void) {
    this.#onLost = onLost
    // What there is to choose from may change while the dialog is open.
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#refresh())
  }

  /** @returns ends it */
  follow(call: Call): () => void {
    this.#call = call
    const stop = call.on('device', (change) => {
      if (change.reason === 'lost') this.#onLost(lossOf(change))
      void this.#refresh()
    })
    return () => {
      stop()
      this.#call = null
      this.close()
    }
  }

  open(): void {
    setText(this.#news, '')
    this.#dialog.showModal()
    void this.#refresh()
  }

  close(): void {
    this.#dialog.close()
  }

  async #refresh(): Promise<void> {
    if (!this.#dialog.open) return
    const some = await this.#pickers.refresh()
    find('#devices-none', HTMLElement).hidden = some
    this.#showUsed()
  }

  #showUsed(): void {
    const used = this.#call?.devices
    if (!used) return
    for (const kind of KINDS) this.#pickers.select(kind, used[kind])
  }

  async #choose(kind: DeviceKind, deviceId: string): Promise<void> {
    const call = this.#call
    if (!call) return
    const taken = await call.useDevice(kind, deviceId)
    if (call !== this.#call) return
    this.#showUsed()
    // Why it was not is told where all errors are, which the dialog would cover.
    setText(this.#news, taken ? 'Changed.' : (call.snapshot().error?.message ?? ''))
  }
}

/** @param change of a device that was unplugged */
export function lossOf({ kind, label }: DeviceChange): string {
  if (label !== '') return `The ${kind} was disconnected. “${label}” is used now.`
  const now = kind === 'speaker' ? 'Sound is played where the system says.' : 'It is off.'
  return `The ${kind} was disconnected. ${now}`
}
