/** One's own picture before joining. The camera is opened when asked for, and let go again. */

import { find } from './dom.ts'

export class Preview {
  readonly #picture = find('#preview-picture', HTMLVideoElement)
  readonly #button = find('#preview', HTMLButtonElement)
  readonly #onProblem: (message: string) => void
  #stream: MediaStream | null = null
  /** Counts up when the preview is stopped, so that a camera that opens late is let go. */
  #generation = 0

  constructor(onProblem: (message: string) => void) {
    this.#onProblem = onProblem
    this.#button.addEventListener('click', () => {
      if (this.#stream === null) void this.#start()
      else this.stop()
    })
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
      const stream = await navigator.mediaDevices.getUserMedia({ video: true })
      if (generation === this.#generation) this.#show(stream)
      else stopTracks(stream)
    } catch (error) {
      if (generation === this.#generation) this.#onProblem(advice(error))
    } finally {
      this.#button.disabled = false
    }
  }

  #show(stream: MediaStream | null): void {
    if (this.#stream !== null) stopTracks(this.#stream)
    this.#stream = stream
    this.#picture.srcObject = stream
    this.#picture.hidden = stream === null
    this.#button.textContent = stream === null ? 'Preview camera' : 'Stop preview'
    // A refusal to play comes with a stream that was stopped meanwhile.
    if (stream !== null) void this.#picture.play().catch(() => undefined)
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function advice(error: unknown): string {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      return 'The camera is not allowed. Allow it for this page in the address bar.'
    case 'NotFoundError':
      return 'No camera was found. You can join without it.'
    case 'NotReadableError':
      return 'The camera is used by another program. Close that, or join without it.'
    case 'InsecurePage':
      return 'The camera needs a page that was loaded over HTTPS.'
    default:
      return 'The camera could not be started. You can join without it.'
  }
}
