import { CaptureError, explain } from '../media/capture/errors.ts'
import type { Tap } from '../media/capture/frame-source.ts'
import type { DeviceWish } from '../media/capture/open.ts'
import type { DeviceChange } from './types.ts'

export interface InputDeviceOptions<Source> {
  /** As a person knows it. */
  readonly name: 'camera' | 'microphone'
  /** Of the device that is wanted; undefined: whichever the browser takes. */
  readonly id: string | undefined
  /** Off, it gives nothing but stays open, to be back at once; else it is let go of, and its lamp goes out. */
  readonly staysOpen: boolean
  /** Asks the person, where that is still to be asked. @throws CaptureError (rejects) */
  readonly request: (wish: DeviceWish) => Promise<MediaStreamTrack>
  readonly tap: (track: MediaStreamTrack) => Tap<Source> | Promise<Tap<Source>>
  /** Open, and on: what comes of it is to be sent, in place of what came before. */
  readonly onOpened: (track: MediaStreamTrack, source: Source, transfer: Transferable[]) => void
  /** Nothing more comes of it, until it is opened again. */
  readonly onReleased: () => void
  /** It is off, though it was wanted: it could not be opened. */
  readonly onFailed: () => void
  readonly onChanged: (change: Omit<DeviceChange, 'kind'>) => void
  /** @param lost the device that was used is gone, and there is no other */
  readonly onError: (error: unknown, lost: boolean) => void
}

interface Opened {
  readonly track: MediaStreamTrack
  /** The id that was asked for; undefined: any. */
  readonly askedFor: string | undefined
  close(): void
}

/**
 * The camera or the microphone of a call, as the person wants it: on or off, this device or another. One
 * thing is done at a time, and what was wanted meanwhile comes after it. Another device is opened before
 * the one in use is let go of, so that the others miss nothing. Where a device is unplugged, another takes
 * its place.
 */
export class InputDevice<Source> {
  private readonly options: InputDeviceOptions<Source>
  private wanted = false
  private id: string | undefined
  /** What worked last, or was wanted first: for when another one cannot be opened. */
  private former: string | undefined
  /** No other than the wanted one will do. */
  private isExact = false
  private opened: Opened | null = null
  private working: PromiseWithResolvers<void> | null = null
  /** The device was unplugged, and another is looked for. */
  private isLost = false
  private closed = false

  constructor(options: InputDeviceOptions<Source>) {
    this.options = options
    this.id = options.id
    this.former = options.id
  }

  /** Of the device in use, or else of the one that is to be used; null: whichever the browser takes. */
  get deviceId(): string | null {
    return this.opened?.track.getSettings().deviceId ?? this.id ?? null
  }

  /** Open, and on. */
  get isOn(): boolean {
    return this.opened !== null && this.wanted
  }

  /** Turns it on or off: off at once, on as soon as it can be had. */
  enable(on: boolean): void {
    if (this.closed) return
    this.wanted = on
    this.apply()
    void this.settle()
  }

  /**
   * Takes another device: now where it is on, else when it is turned on.
   * @returns whether it is that one now
   */
  async choose(id: string): Promise<boolean> {
    if (this.closed) return false
    this.id = id
    this.isExact = this.wanted
    this.apply()
    await this.settle()
    return !this.closed && this.id === id
  }

  /** Lets go of it for good. */
  close(): void {
    this.closed = true
    this.letGo()
  }

  /** What can be done without waiting. */
  private apply(): void {
    const { opened, wanted } = this
    if (!opened) return
    // A track that is not enabled gives black and silence, whatever the worker does.
    opened.track.enabled = wanted
    if (wanted || (this.options.staysOpen && opened.askedFor === this.id)) return
    this.letGo()
  }

  private async settle(): Promise<void> {
    if (this.working) return this.working.promise
    const working = Promise.withResolvers<void>()
    this.working = working
    while (this.wanted && !this.closed && !this.isRight()) await this.step()
    this.working = null
    working.resolve()
  }

  private isRight(): boolean {
    return this.opened !== null && this.opened.askedFor === this.id
  }

  private async step(): Promise<void> {
    const { id } = this
    const isStale = () => this.closed || !this.wanted || this.id !== id
    try {
      const track = await this.request(id)
      await this.adopt(track, id, isStale)
    } catch (error) {
      if (!isStale()) this.onFailed(error)
    }
  }

  private async request(id: string | undefined): Promise<MediaStreamTrack> {
    const wish = id === undefined ? {} : { deviceId: id, exact: this.isExact }
    try {
      return await this.options.request(wish)
    } catch (error) {
      // Some machines have only one camera or microphone open at a time.
      const isBusy = error instanceof CaptureError && error.code === 'device-busy'
      if (!isBusy || !this.opened) throw error
      this.letGo()
      return await this.options.request(wish)
    }
  }

  private async adopt(
    track: MediaStreamTrack,
    askedFor: string | undefined,
    isStale: () => boolean,
  ): Promise<void> {
    const { options } = this
    if (isStale()) {
      track.stop()
      return
    }
    let tap: Tap<Source>
    try {
      tap = await options.tap(track)
    } catch (error) {
      track.stop()
      throw explain(error, options.name)
    }
    const opened: Opened = {
      track,
      askedFor,
      close() {
        tap.close()
        track.stop()
      },
    }
    if (isStale()) {
      opened.close()
      return
    }
    const before = this.opened
    this.opened = opened
    this.former = askedFor
    track.addEventListener('ended', () => this.onEnded(opened))
    options.onOpened(track, tap.source, tap.transfer)
    before?.close()
    this.tellChange(this.isLost ? 'lost' : before ? 'chosen' : 'opened')
    this.isLost = false
  }

  private onFailed(error: unknown): void {
    const { options } = this
    if (this.id !== this.former) {
      // The one that was in use goes on, or is opened again.
      this.id = this.former
      this.isExact = false
      options.onError(error, false)
      return
    }
    const { isLost } = this
    this.isLost = false
    this.wanted = false
    options.onFailed()
    options.onError(error, isLost)
  }

  /** The browser ended the track: the device was unplugged, or is not allowed any more. */
  private onEnded(opened: Opened): void {
    if (this.opened !== opened) return
    this.letGo()
    this.id = undefined
    this.former = undefined
    this.isExact = false
    if (this.wanted) this.isLost = true
    else this.tellChange('lost')
    void this.settle()
  }

  private letGo(): void {
    const { opened } = this
    if (!opened) return
    this.opened = null
    opened.close()
    this.options.onReleased()
  }

  private tellChange(reason: DeviceChange['reason']): void {
    const label = this.opened?.track.label ?? ''
    this.options.onChanged({ deviceId: this.deviceId, label, reason })
  }
}
