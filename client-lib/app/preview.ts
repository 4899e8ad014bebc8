/** One's own picture and loudness before joining. The devices are opened when asked for, and let go again. */

import { type DeviceIds, DevicePickers } from './device-pickers.ts'
import { find } from './dom.ts'
import { LevelWatch } from './level-watch.ts'

export class Preview {
  readonly #picture = find('#preview-picture', HTMLVideoElement)
  readonly #button = find('#preview', HTMLButtonElement)
  readonly #level = find('#preview-level', HTMLMeterElement)
  readonly #pickers: DevicePickers
  readonly #onProblem: (message: string) => void
  #watch: LevelWatch | null = null
  #stream: MediaStream | null = null
  /** Counts up when the preview is stopped, so that a camera that opens late is let go. */
  #generation = 0

  constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem
    this.#pickers = new DevicePickers(() => {
      if (this.#stream !== null) void this.#start()
    })
    void this.#pickers.refresh()
    this.#button.addEventListener('click', () => {
      if (this.#stream === null) void this.#start()
      else this.stop()
    })
  }

  /** The devices that the person has chosen. */
  get chosen(): DeviceIds {
    return this.#pickers.chosen
  }

  stop(): void {
    this.#generation += 1
    this.#show(null)
  }

  async #start(): Promise<void> {
    const generation = ++this.#generation
    this.#button.disabled = true
    try {
      if (navigator.mediaDevices === undefined) throw new DOMException('', 'InsecurePage')
      const { audio, video } = this.#pickers.chosen
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: wanted(audio),
        video: wanted(video),
      })
      void this.#pickers.refresh()
      if (generation === this.#generation) this.#show(stream)
      else stopTracks(stream)
    } catch (error) {
      if (generation === this.#generation) this.#onProblem(advice(error))
    } finally {
      this.#button.disabled = false
    }
  }

  #showLevel(level: number): void {
    this.#level.value = level
  }

  #show(stream: MediaStream | null): void {
    if (this.#stream !== null) stopTracks(this.#stream)
    this.#watch?.close()
    this.#watch = stream && new LevelWatch(stream, (level) => this.#showLevel(level))
    this.#level.hidden = stream === null
    this.#stream = stream
    this.#picture.srcObject = stream
    this.#picture.hidden = stream === null
    this.#button.textContent = stream === null ? 'Try camera and microphone' : 'Stop'
    // A refusal to play comes with a stream that was stopped meanwhile.
    if (stream !== null) void this.#picture.play().catch(() => undefined)
  }
}

/** A device that is gone is no reason to have none. */
function wanted(deviceId: string | undefined): boolean | MediaTrackConstraints {
  return deviceId === undefined ? true : { deviceId: { ideal: deviceId } }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function advice(error: unknown): string {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      return 'Camera and microphone are not allowed. Allow them for this page in the address bar.'
    case 'NotFoundError':
      return 'No camera or no microphone was found. You can join without it.'
    case 'NotReadableError':
      return 'Camera or microphone are used by another program. Close that, or join without them.'
    case 'InsecurePage':
      return 'Camera and microphone need a page that was loaded over HTTPS.'
    default:
      return 'Camera and microphone could not be started. You can join without them.'
  }
}
