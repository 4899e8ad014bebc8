import { explain } from '../media/capture/errors.ts'
import { captureFailure, speakerUnsupported } from './capture-failure.ts'
import type { CallError, DeviceChange } from './types.ts'

export interface SpeakerOptions {
  /** Undefined: where the system says. */
  readonly id?: string | undefined
  /** Whether this browser plays sound elsewhere than where the system says. */
  readonly canChoose: boolean
  /** @param id empty: where the system says */
  readonly playAt: (id: string) => Promise<void>
  readonly devices: Pick<MediaDevices, 'enumerateDevices' | keyof EventTarget> | undefined
  readonly onChanged: (change: DeviceChange) => void
  readonly onError: (error: CallError) => void
}

/** Where the others are heard: at the chosen speaker, for as long as it is there. */
export class Speaker {
  private readonly options: SpeakerOptions
  private readonly ended = new AbortController()
  private id: string | null = null

  constructor(options: SpeakerOptions) {
    this.options = options
    const { signal } = this.ended
    options.devices?.addEventListener('devicechange', () => void this.check(), { signal })
    if (options.id !== undefined) void this.choose(options.id)
  }

  /** Null: where the system says. */
  get deviceId(): string | null {
    return this.id
  }

  /** @returns whether sound is played there now */
  async choose(id: string): Promise<boolean> {
    const { canChoose, playAt, onChanged, onError } = this.options
    if (this.ended.signal.aborted) return false
    if (!canChoose) {
      onError(speakerUnsupported())
      return false
    }
    const former = this.id
    this.id = id
    try {
      await playAt(id)
    } catch (error) {
      if (this.id === id) this.id = former
      if (!this.ended.signal.aborted) onError(captureFailure(explain(error, 'speaker'), 'speaker'))
      return false
    }
    const label = (await this.labelOf(id)) ?? ''
    if (this.id !== id || this.ended.signal.aborted) return false
    onChanged({ kind: 'speaker', deviceId: id, label, reason: 'chosen' })
    return true
  }

  close(): void {
    this.ended.abort()
  }

  /** Devices came or went. */
  private async check(): Promise<void> {
    const { id } = this
    if (id === null || (await this.labelOf(id)) !== null || this.id !== id) return
    this.id = null
    // Where that fails, too, the browser has moved the sound by itself.
    await this.options.playAt('').catch(() => {})
    if (this.ended.signal.aborted || this.id !== null) return
    this.options.onChanged({ kind: 'speaker', deviceId: null, label: '', reason: 'lost' })
  }

  /** Null: there is no such speaker. */
  private async labelOf(id: string): Promise<string | null> {
    const all = (await this.options.devices?.enumerateDevices().catch(() => [])) ?? []
    const found = all.find(({ kind, deviceId }) => kind === 'audiooutput' && deviceId === id)
    return found?.label ?? null
  }
}
