/** Which camera and which microphone: a list of each, once the browser tells what there is. */

import { element, find } from './dom.ts'

/** Device ids; absent: whichever the browser takes. */
export interface DeviceIds {
  readonly audio?: string
  readonly video?: string
}

/** What the browser tells of a device. */
type Told = Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>

const PICKERS = [
  { kind: 'audio', told: 'audioinput', select: '#microphone-choice', field: '#microphone-field' },
  { kind: 'video', told: 'videoinput', select: '#camera-choice', field: '#camera-field' },
] as const

export class DevicePickers {
  /** @param onChange another device was chosen */
  constructor(onChange: () => void) {
    for (const { select } of PICKERS) {
      find(select, HTMLSelectElement).addEventListener('change', onChange)
    }
    // A page without HTTPS has no devices.
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.refresh())
  }

  get chosen(): DeviceIds {
    const ids: { audio?: string; video?: string } = {}
    for (const { kind, select } of PICKERS) {
      const { value } = find(select, HTMLSelectElement)
      if (value !== '') ids[kind] = value
    }
    return ids
  }

  /** Asks the browser what there is. It names devices only once one was allowed. */
  async refresh(): Promise<void> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? []
    for (const { told, select, field } of PICKERS) {
      const devices = choices(all, told)
      const list = find(select, HTMLSelectElement)
      const before = list.value
      list.replaceChildren(
        ...devices.map(({ deviceId, label }) => {
          const option = element('option', label)
          option.value = deviceId
          return option
        }),
      )
      if (devices.some(({ deviceId }) => deviceId === before)) list.value = before
      find(field, HTMLElement).hidden = devices.length === 0
    }
  }
}

/** Those of a kind that have a name. */
export function choices(all: readonly Told[], kind: Told['kind']): Told[] {
  return all.filter((one) => one.kind === kind && one.deviceId !== '' && one.label !== '')
}
