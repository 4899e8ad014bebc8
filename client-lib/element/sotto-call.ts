/** The element itself: from its attributes to a call, and from the call to what is seen of it. */

import { groupDigits } from '../app/text.ts'
import {
  type Call,
  type CallError,
  CallOptionsError,
  configFromServer,
  type JoinOptions,
  joinCall,
  preloadCall,
} from '../index.ts'
import { Controls } from './controls.ts'
import { make, say } from './dom.ts'
import { styles } from './styles.ts'
import { Tiles } from './tiles.ts'

const DEVICE_ERRORS: readonly string[] = [
  'permission-denied',
  'no-device',
  'device-busy',
  'device-lost',
]

let sheet: CSSStyleSheet | null = null

/**
 * `<sotto-call room="demo" name="Ada">`: a button to join by, a grid of everybody and of the screens that
 * are shared, and buttons for microphone, camera, sharing the screen and leaving.
 *
 * Attributes, read at each join: `room`, `name`, `relay` (the relay's URL; without it the server of the
 * page is asked, see `configFromServer`), `certificate-hashes` (of the relay, with spaces between them),
 * `audio="off"`, `video="off"`, and `autojoin`, to join without a press.
 *
 * Events, which bubble and leave shadow trees: `joined` with the `Call` as `detail`, `left` with
 * `{ state }` as `detail`, which is `left` or `failed`, and `error` with a `CallError` as `detail`.
 *
 * Parts: `grid`, `tile`, `speaking`, `picture`, `label`, `alarm`, `status`, `verification`, `code`,
 * `toolbar`, `button`, `join`, `microphone`, `camera`, `screen`, `leave`. Slot: `controls`, for buttons of
 * the page's own, beside those. Custom properties: `--sotto-background`,
 * `--sotto-color`, `--sotto-font`, `--sotto-gap`, `--sotto-radius`, `--sotto-tile-width`,
 * `--sotto-tile-background`, `--sotto-button-background`, `--sotto-accent`, `--sotto-on-accent` and
 * `--sotto-danger`.
 */
export class SottoCallElement extends HTMLElement {
  /** Admission token, as in `JoinOptions`: no attribute, for whoever reads the page would have it. */
  token: JoinOptions['token']
  /** Other options of `joinCall`, such as `issuerKeys` or `transport`; attributes go before these. */
  options: Partial<JoinOptions> = {}

  readonly #tiles = new Tiles()
  readonly #status = make('p', 'status')
  readonly #code = make('span', 'code')
  readonly #verification = make('p', 'verification', [
    document.createTextNode('End-to-end encrypted. Everybody has this code: '),
    this.#code,
  ])
  readonly #controls = new Controls({
    join: () => void this.join(),
    leave: () => void this.leave(),
    microphone: (on) => this.#live?.setMicrophone(on),
    camera: (on) => this.#live?.setCamera(on),
    screen: (on) => this.#share(on),
  })
  #live: Call | null = null
  #release: (() => void)[] = []
  /** Counts joins and leaves: what an earlier one waited for joins nothing. */
  #attempt = 0
  #isAsking = false
  #hasJoined = false

  /** Made by the page's parser or `document.createElement('sotto-call')`. */
  constructor() {
    super()
    const root = this.attachShadow({ mode: 'open' })
    sheet ??= styles()
    root.adoptedStyleSheets = [sheet]
    this.#status.role = 'status'
    root.append(this.#tiles.element, this.#status, this.#verification, this.#controls.element)
    this.#verification.hidden = true
    say(this.#status, '')
  }

  /** The call, while there is one. */
  get call(): Call | null {
    return this.#live
  }

  /** Called by the browser. */
  connectedCallback(): void {
    if (this.hasAttribute('autojoin')) void this.join()
    else preloadCall()
  }

  /** Called by the browser. Who moves the element within the page stays in the call. */
  disconnectedCallback(): void {
    queueMicrotask(() => {
      if (!this.isConnected) void this.leave()
    })
  }

  /** What the Join button does; nothing while there is a call. Faults are told by `error`. */
  async join(): Promise<void> {
    if (this.#live !== null || this.#isAsking) return
    const mine = ++this.#attempt
    const devices = {
      microphone: this.getAttribute('audio') !== 'off',
      camera: this.getAttribute('video') !== 'off',
    }
    this.#isAsking = true
    this.#controls.showCall(devices)
    say(this.#status, 'Joining…')
    try {
      const room = this.getAttribute('room') ?? this.options.room ?? ''
      const server = await this.#server(room)
      if (mine !== this.#attempt) return
      this.#follow(
        joinCall({
          ...this.options,
          ...server,
          room,
          name: this.getAttribute('name') ?? this.options.name ?? '',
          media: {
            audio: devices.microphone && (this.options.media?.audio ?? true),
            video: devices.camera && (this.options.media?.video ?? true),
          },
          ...(this.token !== undefined && { token: this.token }),
        }),
      )
    } catch (error) {
      if (mine !== this.#attempt) return
      const fault = faultOf(error)
      this.#tell('error', fault)
      this.#end('failed', fault.message)
    } finally {
      if (mine === this.#attempt) this.#isAsking = false
    }
  }

  /** What the Leave button does. */
  async leave(): Promise<void> {
    this.#attempt += 1
    if (this.#live === null && this.#isAsking) this.#end('left', '')
    await this.#live?.leave()
  }

  #share(on: boolean): void {
    if (on) void this.#live?.shareScreen()
    else this.#live?.stopScreen()
  }

  async #server(room: string): Promise<Pick<JoinOptions, 'url' | 'certificateHashes'>> {
    const url = this.getAttribute('relay') ?? this.options.url
    if (url === undefined) {
      const { relay, certificateHashes } = await configFromServer(room)
      return { url: relay, certificateHashes }
    }
    const hashes = this.getAttribute('certificate-hashes')?.split(/\s+/).filter(Boolean)
    return hashes === undefined ? { url } : { url, certificateHashes: hashes }
  }

  #follow(call: Call): void {
    this.#live = call
    this.#hasJoined = false
    const draw = () => this.#draw(call)
    this.#release = [
      call.on('state', (state) => {
        if (state === 'connected') say(this.#status, '')
        if (state === 'reconnecting') say(this.#status, 'The connection was lost. Reconnecting…')
        draw()
      }),
      call.on('epoch', draw),
      call.on('participants', draw),
      call.on('verification', ({ level, text, participant }) => {
        if (level === 'check' || (level === 'alarm' && participant === call.self)) {
          say(this.#status, text)
        }
      }),
      call.on('error', (error) => {
        if (DEVICE_ERRORS.includes(error.code)) this.#controls.giveUp(error.device)
        say(this.#status, error.message)
        this.#tell('error', error)
      }),
    ]
    draw()
  }

  #draw(call: Call): void {
    const { state, participants, verificationCode } = call
    if (state === 'left' || state === 'failed') {
      this.#end(state, state === 'left' ? 'You left the call.' : this.#status.textContent)
      return
    }
    if (state === 'connected' && !this.#hasJoined) {
      this.#hasJoined = true
      this.#tell('joined', call)
    }
    this.#tiles.update(call, participants)
    this.#controls.follow(participants.find(({ local }) => local))
    this.#verification.hidden = verificationCode === ''
    say(this.#code, groupDigits(verificationCode).join(' '))
  }

  #end(state: 'left' | 'failed', message: string): void {
    for (const release of this.#release) release()
    this.#release = []
    this.#live = null
    this.#isAsking = false
    this.#tiles.clear()
    this.#verification.hidden = true
    this.#controls.showJoin()
    say(this.#status, message)
    this.#tell('left', { state })
  }

  #tell(type: 'joined' | 'left' | 'error', detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
  }
}

function faultOf(error: unknown): CallError {
  if (error instanceof CallOptionsError) return error
  const message = 'The server of this page does not answer. Check the connection, then try again.'
  return { code: 'relay-unreachable', message, detail: String(error) }
}
