/** Which camera, microphone and speaker: a list of each, once the browser tells what there is. */

import { canChooseSpeaker, type DeviceKind } from '../index.ts'
import { element, find } from './dom.ts'

/** Device ids; absent: whichever the browser takes. */
export type DeviceIds = Partial<Record<DeviceKind, string>>

/** What the browser tells of a device. */
type Told = Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>

const TOLD = { microphone: 'audioinput', camera: 'videoinput', speaker: 'audiooutput' } as const

/** Lists of devices; of a kind of which there is none, or none that can be chosen, it is hidden. */
export class DevicePickers {
  readonly #prefix: string
  readonly #kinds: readonly DeviceKind[]

  /**
   * @param prefix of the elements' ids in `index.html`
   * @param onChange another device was chosen
   */
  constructor(
    prefix: string,
    kinds: readonly DeviceKind[],
    onChange: (kind: DeviceKind, deviceId: string) => void,
  ) {
    this.#prefix = prefix
    this.#kinds = kinds
    for (const kind of kinds) {
      const list = this.#list(kind)
      list.addEventListener('change', () => onChange(kind, list.value))
    }
    // A page without HTTPS has no devices.
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.refresh())
  }

  get chosen(): DeviceIds {
    const ids: DeviceIds = {}
    for (const kind of this.#kinds) {
      const { value } = this.#list(kind)
      if (value !== '') ids[kind] = value
    }
    return ids
  }

  /**
   * Asks the browser what there is. It names devices only once one was allowed.
   * @returns whether there is anything to choose from
   */
  async refresh(): Promise<boolean> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? []
    return this.#kinds.map((kind) => this.#fill(kind, all)).includes(true)
  }

  /** Shows which one is used. @param deviceId null: it is not known */
  select(kind: DeviceKind, deviceId: string | null): void {
    const list = this.#list(kind)
    const isThere = [...list.options].some(({ value }) => value === deviceId)
    if (deviceId !== null && isThere) list.value = deviceId
  }

  #fill(kind: DeviceKind, all: readonly Told[]): boolean {
    const devices = kind === 'speaker' && !canChooseSpeaker() ? [] : choices(all, TOLD[kind])
    const list = this.#list(kind)
    const before = list.value
    list.replaceChildren(
      ...devices.map(({ deviceId, label }) => {
        const option = element('option', label)
        option.value = deviceId
        return option
      }),
    )
    this.select(kind, before)
    find(`#${this.#prefix}${kind}-field`, HTMLElement).hidden = devices.length === 0
    return devices.length > 0
  }

  #list(kind: DeviceKind): HTMLSelectElement {
    return find(`#${this.#prefix}${kind}-choice`, HTMLSelectElement)
  }
}

/** Those of a kind that have a name. */
export function choices(all: readonly Told[], kind: Told['kind']): Told[] {
  return all.filter((one) => one.kind === kind && one.deviceId !== '' && one.label !== '')
}
