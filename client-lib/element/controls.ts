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
  screen(on: boolean): void
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
    screen: button('screen', 'Share screen'),
    leave: button('leave', 'Leave'),
  }
  private switches: Record<Device, DeviceSwitch> = switches()
  private shares = false

  constructor(handlers: ControlHandlers) {
    this.handlers = handlers
    const { join, microphone, camera, screen, leave } = this.buttons
    // For buttons of the page's own.
    const more = document.createElement('slot')
    more.name = 'controls'
    this.element = make('div', 'toolbar', [join, microphone, camera, screen, more, leave])
    // Each is reached by Tab, as buttons are: `toolbar` would promise arrow keys.
    this.element.role = 'group'
    this.element.ariaLabel = 'Call controls'
    join.addEventListener('click', () => handlers.join())
    leave.addEventListener('click', () => handlers.leave())
    screen.addEventListener('click', () => handlers.screen(!this.shares))
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
    this.shares = false
    for (const device of NAMES) {
      if (opened[device]) this.switches[device].ask(true, performance.now())
    }
    this.show(true)
    this.draw()
  }

  follow(local: Participant | undefined): void {
    this.shares = local?.tracks.some(({ kind }) => kind === 'screen') ?? false
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
    this.buttons.screen.hidden = !inCall || !canShare()
  }

  private draw(): void {
    for (const device of NAMES) {
      const { on } = this.switches[device]
      this.buttons[device].ariaPressed = String(on)
      this.buttons[device].title = `Turn the ${device} ${on ? 'off' : 'on'}`
    }
    const { screen } = this.buttons
    screen.ariaPressed = String(this.shares)
    screen.title = this.shares ? 'Stop sharing your screen' : 'Share your screen'
  }
}

/** Browsers of telephones cannot. */
function canShare(): boolean {
  return 'getDisplayMedia' in (navigator.mediaDevices ?? {})
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
