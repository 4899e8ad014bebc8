/** One's own picture and loudness before joining. The devices are opened when asked for, and let go again. */

import { type DeviceIds, DevicePickers } from './device-pickers.ts'
import { find } from './dom.ts'
import { LevelWatch } from './level-watch.ts'

export class Preview {
  readonly #picture = find('#preview-picture', HTMLVideoElement)
  readonly #button = find('#preview', HTMLButtonElement)
  readonly #level = find('#preview-level', HTMLMeterElement)
  readonly #pickers: DevicePickers
  readonly #onProblem: (message: string | null) => void
  #watch: LevelWatch | null = null
  #stream: MediaStream | null = null
  /** Counts up when the preview is stopped, so that a camera that opens late is let go. */
  #generation = 0

  /** @param onProblem what is wrong with the devices; null: nothing, as far as is known */
  constructor(onProblem: (message: string | null) => void) {
    this.#onProblem = onProblem
    this.#pickers = new DevicePickers('', ['microphone', 'camera', 'speaker'], (kind) => {
      if (kind === 'speaker') return
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
    this.#onProblem(null)
  }

  async #start(): Promise<void> {
    const generation = ++this.#generation
    this.#button.disabled = true
    this.#onProblem(null)
    try {
      const { stream, problem } = await tryDevices(this.#pickers.chosen)
      void this.#pickers.refresh()
      if (generation === this.#generation) {
        this.#show(stream)
        this.#onProblem(problem)
      } else stopTracks(stream)
    } catch (error) {
      if (generation === this.#generation) this.#fail(advice(error))
    } finally {
      this.#button.disabled = false
    }
  }

  #fail(problem: string): void {
    this.#show(null)
    this.#button.textContent = 'Try again'
    this.#onProblem(problem)
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
    this.#picture.hidden = !stream?.getVideoTracks().length
    this.#button.textContent = stream === null ? 'Try camera and microphone' : 'Stop'
    // A refusal to play comes with a stream that was stopped meanwhile.
    if (stream !== null) void this.#picture.play().catch(() => undefined)
  }
}

/** Both devices, or the one of them that can be had, and what is wrong with the other. */
async function tryDevices({ microphone, camera }: DeviceIds) {
  if (navigator.mediaDevices === undefined) throw new DOMException('', 'InsecurePage')
  const both = { audio: wanted(microphone), video: wanted(camera) }
  try {
    return { stream: await ask(both), problem: null }
  } catch (error) {
    // Who refused both is not asked again.
    if (error instanceof DOMException && error.name === 'NotAllowedError') throw error
    for (const { kind, without } of EACH) {
      try {
        const stream = await ask({ [kind]: both[kind] })
        return { stream, problem: without }
      } catch {
        // Then neither can be had for the reason that was told first, or the other one.
      }
    }
    throw error
  }
}

const EACH = [
  {
    kind: 'audio',
    without: 'The camera cannot be used. Connect it, or close what uses it, or join without it.',
  },
  {
    kind: 'video',
    without:
      'The microphone cannot be used. Connect it, or close what uses it, or join without it.',
  },
] as const

/** The chosen ones; a device that is gone is no reason to have none. */
async function ask({ audio, video }: MediaStreamConstraints): Promise<MediaStream> {
  const { mediaDevices } = navigator
  try {
    return await mediaDevices.getUserMedia({ audio, video })
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'OverconstrainedError') throw error
    return await mediaDevices.getUserMedia({
      audio: audio !== undefined,
      video: video !== undefined,
    })
  }
}

/** Chromium takes no notice of an ideal device. */
function wanted(deviceId: string | undefined): boolean | MediaTrackConstraints {
  return deviceId === undefined ? true : { deviceId: { exact: deviceId } }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function advice(error: unknown): string {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      return 'Camera and microphone are not allowed. Allow them for this page in the address bar and try again, or join without them.'
    case 'NotFoundError':
      return 'No camera and no microphone was found. Connect them and try again, or join without them.'
    case 'NotReadableError':
      return 'Camera and microphone are used by another program. Close that and try again, or join without them.'
    case 'InsecurePage':
      return 'Camera and microphone need a page that was loaded over HTTPS.'
    default:
      return 'Camera and microphone could not be started. Try again, or join without them.'
  }
}
