/**
 * Typed events. A listener that throws breaks neither the other listeners nor whoever emits: its error
 * goes to `reportError`, and so to the console and the `error` event of the window, where a developer
 * sees it.
 */
export class Emitter<Events> {
  private readonly listeners = new Map<keyof Events, Set<(value: never) => void>>()

  /** Calls `listener` at each event until the returned function is called. */
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    const set = this.listeners.get(event) ?? new Set()
    this.listeners.set(event, set)
    set.add(listener)
    return () => set.delete(listener)
  }

  emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) {
      try {
        ;(listener as (value: Events[E]) => void)(value)
      } catch (error) {
        reportError(error)
      }
    }
  }
}
