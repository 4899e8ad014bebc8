/**
 * A microphone or camera switch: it shows what was asked for at once, and what is so as soon as that
 * is known. Devices open slowly and reports lag behind, so the asking is repeated until it is so; but
 * a switch never shows for long what is not: one must be able to trust it.
 */

/** A wish that is not granted within this time is given up, ms. */
const PATIENCE_MS = 5_000

export class DeviceSwitch {
  /** Null while the device has no track. */
  #actual: boolean | null = null
  #wish: { readonly on: boolean; since: number } | null = null

  get on(): boolean {
    return this.#wish?.on ?? this.#actual ?? false
  }

  ask(on: boolean, now: number): void {
    this.#wish = { on, since: now }
  }

  /**
   * Takes what is so; null while the device has no track.
   * @returns whether the call must be told again what was asked for
   */
  follow(actual: boolean | null, now: number): boolean {
    const opened = this.#actual === null && actual !== null
    this.#actual = actual
    if (this.#wish === null) return false
    // What opens late was perhaps never told that it should be off.
    if (opened) this.#wish.since = now
    const off = actual === null && !this.#wish.on
    if (actual === this.#wish.on || (!off && now - this.#wish.since >= PATIENCE_MS)) {
      this.#wish = null
    }
    return this.#wish !== null && actual !== null
  }

  /** The device could not be opened: it is not asked for again by itself. A wish for silence stays. */
  giveUp(): void {
    if (this.#wish?.on) this.#wish = null
  }
}
