/** The buttons of a call. */

import type { CallError, Participant } from '../index.ts'
import { DeviceSwitch } from './device-switch.ts'
import { find, setText } from './dom.ts'
import type { Layout } from './stage/stage.ts'

export interface ToolbarHandlers {
  microphone(on: boolean): void
  camera(on: boolean): void
  screen(): void
  layout(): void
  devices(): void
  invite(): void
  help(): void
  leave(): void
}

const DEVICES = [
  { device: 'microphone', kind: 'audio', button: '#mic' },
  { device: 'camera', kind: 'video', button: '#camera' },
] as const

export class Toolbar {
  readonly #root = find('#toolbar', HTMLElement)
  readonly #menu = find('#menu', HTMLElement)
  readonly #screen = find('#screen', HTMLButtonElement)
  readonly #handlers: ToolbarHandlers
  #switches = { microphone: new DeviceSwitch(), camera: new DeviceSwitch() }

  constructor(handlers: ToolbarHandlers) {
    this.#handlers = handlers
    for (const { device, button } of DEVICES) {
      find(button, HTMLButtonElement).addEventListener('click', () => this.toggle(device))
    }
    for (const what of ['screen', 'layout', 'leave'] as const) {
      find(`#${what}`, HTMLButtonElement).addEventListener('click', () => handlers[what]())
    }
    for (const dialog of ['devices', 'invite', 'help'] as const) {
      const button = find(`#${dialog}-button`, HTMLButtonElement)
      button.addEventListener('click', () => handlers[dialog]())
    }
    // What is chosen closes the menu; the focus goes back to its button before anything else opens.
    this.#menu.addEventListener('click', () => this.#menu.hidePopover(), { capture: true })
    // Telephones cannot share their screens.
    this.#screen.hidden = navigator.mediaDevices?.getDisplayMedia === undefined
  }

  /** The devices that are on, or about to be. */
  get turnedOn(): ('microphone' | 'camera')[] {
    return DEVICES.filter(({ device }) => this.#switches[device].on).map(({ device }) => device)
  }

  /** Turns a device on or off. */
  toggle(device: 'microphone' | 'camera'): void {
    const on = !this.#switches[device].on
    this.#switches[device].ask(on, performance.now())
    this.#handlers[device](on)
    this.#draw()
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
    this.#menu.hidePopover()
    this.#root.hidden = true
  }

  follow(local: Participant | undefined, layout: Layout): void {
    for (const { device, kind } of DEVICES) {
      const track = local?.tracks.find((candidate) => candidate.kind === kind)
      const actual = track === undefined ? null : !track.muted
      const { [device]: control } = this.#switches
      if (control.follow(actual, performance.now())) this.#handlers[device](control.on)
    }
    const shares = local?.tracks.some(({ kind }) => kind === 'screen') ?? false
    this.#screen.setAttribute('aria-pressed', String(shares))
    this.#screen.title = shares ? 'Stop sharing the screen' : 'Share the screen'
    setText(find('#layout-text', HTMLElement), layout === 'grid' ? 'Speaker view' : 'Grid view')
    this.#draw()
  }

  /** A device could not be opened. @param which absent: neither of them */
  giveUp(which?: CallError['device']): void {
    for (const { device } of DEVICES) {
      if (which === undefined || which === device) this.#switches[device].giveUp()
    }
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
