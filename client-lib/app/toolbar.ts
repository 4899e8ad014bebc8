/** The buttons of a call. */

import type { Participant } from '../index.ts'
import { DeviceSwitch } from './device-switch.ts'
import { find } from './dom.ts'

export interface ToolbarHandlers {
  microphone(on: boolean): void
  camera(on: boolean): void
  share(): void
  leave(): void
}

const DEVICES = [
  { device: 'microphone', kind: 'audio', button: '#mic' },
  { device: 'camera', kind: 'video', button: '#camera' },
] as const

export class Toolbar {
  readonly #root = find('#toolbar', HTMLElement)
  readonly #handlers: ToolbarHandlers
  #switches = { microphone: new DeviceSwitch(), camera: new DeviceSwitch() }

  constructor(handlers: ToolbarHandlers) {
    this.#handlers = handlers
    for (const { device, button } of DEVICES) {
      find(button, HTMLButtonElement).addEventListener('click', () => {
        const on = !this.#switches[device].on
        this.#switches[device].ask(on, performance.now())
        handlers[device](on)
        this.#draw()
      })
    }
    find('#share', HTMLButtonElement).addEventListener('click', () => handlers.share())
    find('#leave', HTMLButtonElement).addEventListener('click', () => handlers.leave())
  }

  /** For a new call, which opens these devices. */
  show(microphone: boolean, camera: boolean): void {
    this.#switches = { microphone: new DeviceSwitch(), camera: new DeviceSwitch() }
    if (microphone) this.#switches.microphone.ask(true, performance.now())
    if (camera) this.#switches.camera.ask(true, performance.now())
    this.#draw()
    this.#root.hidden = false
  }

  hide(): void {
    this.#root.hidden = true
  }

  follow(local: Participant | undefined): void {
    for (const { device, kind } of DEVICES) {
      const track = local?.tracks.find((candidate) => candidate.kind === kind)
      const actual = track === undefined ? null : !track.muted
      const { [device]: control } = this.#switches
      if (control.follow(actual, performance.now())) this.#handlers[device](control.on)
    }
    this.#draw()
  }

  /** A device could not be opened. */
  giveUp(): void {
    for (const { device } of DEVICES) this.#switches[device].giveUp()
    this.#draw()
  }

  #draw(): void {
    for (const { device, button } of DEVICES) {
      const { on } = this.#switches[device]
      const element = find(button, HTMLButtonElement)
      element.setAttribute('aria-pressed', String(on))
      element.title = `Turn the ${device} ${on ? 'off' : 'on'}`
    }
  }
}
