/** The buttons of `<sotto-call>`. */

import { DeviceSwitch } from '../app/device-switch.ts'
import type { CallError, Participant } from '../index.ts'
import { make } from './dom.ts'

/** What the buttons ask for. */
export interface ControlHandlers {
  join(): void
  leave(): void
  microphone(on: boolean): void
  camera(on: boolean): void
}

const DEVICES = { microphone: 'audio', camera: 'video' } as const
const NAMES = ['microphone', 'camera'] as const
type Device = (typeof NAMES)[number]

export class Controls {
  readonly element: HTMLElement
  private readonly handlers: ControlHandlers
  private readonly buttons = {
    join: button('join', 'Join'),
    microphone: button('microphone', 'Microphone'),
    camera: button('camera', 'Camera'),
    leave: button('leave', 'Leave'),
  }
  private switches: Record<Device, DeviceSwitch> = switches()

  constructor(handlers: ControlHandlers) {
    this.handlers = handlers
    const { join, microphone, camera, leave } = this.buttons
    this.element = make('div', 'toolbar', [join, microphone, camera, leave])
    this.element.role = 'toolbar'
    this.element.ariaLabel = 'Call controls'
    join.addEventListener('click', () => handlers.join())
    leave.addEventListener('click', () => handlers.leave())
    for (const device of NAMES) {
      this.buttons[device].addEventListener('click', () => {
        const on = !this.switches[device].on
        this.switches[device].ask(on, performance.now())
        handlers[device](on)
        this.draw()
      })
    }
    this.showJoin()
  }

  /** There is no call. */
  showJoin(): void {
    this.show(false)
  }

  /** For a new call, which opens these devices. */
  showCall(opened: Readonly<Record<Device, boolean>>): void {
    this.switches = switches()
    for (const device of NAMES) {
      if (opened[device]) this.switches[device].ask(true, performance.now())
    }
    this.show(true)
    this.draw()
  }

  follow(local: Participant | undefined): void {
    for (const device of NAMES) {
      const track = local?.tracks.find(({ kind }) => kind === DEVICES[device])
      const { [device]: control } = this.switches
      const actual = track === undefined ? null : !track.muted
      if (control.follow(actual, performance.now())) this.handlers[device](control.on)
    }
    this.draw()
  }

  /** A device could not be opened. @param which absent: neither of them */
  giveUp(which?: CallError['device']): void {
    for (const device of NAMES) {
      if (which === undefined || which === device) this.switches[device].giveUp()
    }
    this.draw()
  }

  private show(inCall: boolean): void {
    this.buttons.join.hidden = inCall
    for (const name of [...NAMES, 'leave'] as const) this.buttons[name].hidden = !inCall
  }

  private draw(): void {
    for (const device of NAMES) {
      const { on } = this.switches[device]
      this.buttons[device].ariaPressed = String(on)
      this.buttons[device].title = `Turn the ${device} ${on ? 'off' : 'on'}`
    }
  }
}

function switches(): Record<Device, DeviceSwitch> {
  return { microphone: new DeviceSwitch(), camera: new DeviceSwitch() }
}

function button(name: string, label: string): HTMLButtonElement {
  const element = make('button', name)
  element.setAttribute('part', `button ${name}`)
  element.type = 'button'
  element.textContent = label
  return element
}
