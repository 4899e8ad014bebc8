/**
 * The loudspeaker, on the main thread: one `AudioContext`, and a worklet node for each source. Samples
 * do not pass here; a source's port goes to the worker. A browser may hold sound back until the person
 * has touched the page: that state is told, and the first touch or key ends it.
 */

import { AUDIO_SAMPLE_RATE } from './codecs.ts'
import type { PlayoutCommand, PlayoutReport } from './playout-worklet.ts'
import { resumeByGesture } from './resume-context.ts'

/** `blocked`: sound waits for a gesture of the person's. */
export type AudioOutputState = 'running' | 'blocked' | 'closed'

export interface AudioOutputOptions {
  /** Where the bundler put `playout-worklet.ts` as a module of its own. */
  readonly workletUrl: string | URL
  readonly onState?: (state: AudioOutputState) => void
}

export interface AudioSourceEvents {
  /** Told once, when its first sound is played. */
  onPlaying(): void
  /**
   * Told twice a second, and when it changes: how long after its timestamp (µs, as ms) sound is heard, on
   * `performance.now()`; null: no sound.
   */
  onDelay(ms: number | null): void
}

export interface AudioSource {
  /** To be transferred to the worker, for a `PcmSender`. */
  readonly port: MessagePort
  /** The worklet's last report; null before the first. */
  readonly report: PlayoutReport | null
  /** @param ms by which sound is to be later, for a picture's sake; see `JitterBuffer.delayBy` */
  delayBy(ms: number): void
  /** @param volume 0..1 */
  setVolume(volume: number): void
  close(): void
}

/** The name that the worklet registers; importing it from there would run the worklet here. */
const PROCESSOR: typeof import('./playout-worklet.ts').PLAYOUT_PROCESSOR = 'sotto-playout'

/** TypeScript's library does not have it yet: https://webaudio.github.io/web-audio-api/#dom-audiocontext-setsinkid */
interface SinkContext extends AudioContext {
  setSinkId(id: string): Promise<void>
}

/** Whether this browser can play a call at another speaker than the system's. */
export function canChooseSpeaker(): boolean {
  return typeof AudioContext === 'function' && 'setSinkId' in AudioContext.prototype
}

export class AudioOutput {
  private readonly context: AudioContext
  private readonly stopResuming: () => void

  private constructor(context: AudioContext, options: AudioOutputOptions) {
    this.context = context
    context.onstatechange = () => options.onState?.(this.state)
    options.onState?.(this.state)
    this.stopResuming = resumeByGesture(context)
  }

  /** @throws DOMException when the worklet cannot be loaded */
  static async create(options: AudioOutputOptions): Promise<AudioOutput> {
    const context = new AudioContext({ latencyHint: 'interactive', sampleRate: AUDIO_SAMPLE_RATE })
    try {
      await context.audioWorklet.addModule(options.workletUrl)
    } catch (error) {
      await context.close()
      throw error
    }
    return new AudioOutput(context, options)
  }

  get state(): AudioOutputState {
    if (this.context.state === 'closed') return 'closed'
    return this.context.state === 'running' ? 'running' : 'blocked'
  }

  /** ms between a sample given to the context and its sound, as far as the browser knows. */
  get latencyMs(): number {
    return (this.context.baseLatency + (this.context.outputLatency || 0)) * 1000
  }

  addSource(events: Partial<AudioSourceEvents> = {}): AudioSource {
    const node = new AudioWorkletNode(this.context, PROCESSOR, {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [2],
    })
    const gain = this.context.createGain()
    node.connect(gain).connect(this.context.destination)
    const { port1, port2 } = new MessageChannel()
    send(node, { samples: port1 }, [port1])
    let report: PlayoutReport | null = null
    let played = false
    node.port.onmessage = (event: MessageEvent<PlayoutReport>) => {
      report = event.data
      const delay = report.soundDelayMs
      if (delay !== null && !played) {
        played = true
        events.onPlaying?.()
      }
      events.onDelay?.(delay === null ? null : delay + this.heardAfterMs())
    }
    const context = this.context
    return {
      port: port2,
      get report() {
        return report
      },
      delayBy(ms) {
        send(node, { delayBy: ms })
      },
      setVolume(volume) {
        // A short ramp: a step clicks.
        gain.gain.setTargetAtTime(volume, context.currentTime, 0.02)
      },
      close() {
        send(node, { end: true })
        node.disconnect()
        gain.disconnect()
      },
    }
  }

  /** `performance.now()` at which a sample is heard, less its time in the context; ms. */
  private heardAfterMs(): number {
    const { contextTime, performanceTime } = this.context.getOutputTimestamp()
    if (contextTime && performanceTime) return performanceTime - contextTime * 1000
    return performance.now() - this.context.currentTime * 1000 + this.latencyMs
  }

  /**
   * Plays at another speaker from now on, where the browser can; see `canChooseSpeaker`.
   * @param id as `enumerateDevices` tells; empty: where the system says
   * @throws DOMException (rejects): it is gone, or not allowed
   */
  async playAt(id: string): Promise<void> {
    if (canChooseSpeaker()) await (this.context as SinkContext).setSinkId(id)
  }

  async close(): Promise<void> {
    this.stopResuming()
    if (this.context.state !== 'closed') await this.context.close()
  }
}

function send(
  node: AudioWorkletNode,
  command: PlayoutCommand,
  transfer: Transferable[] = [],
): void {
  node.port.postMessage(command, transfer)
}
