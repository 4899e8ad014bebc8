/** Looks over the shoulder of a session's handler until the session is established or has failed. */

import type { SessionHandler } from '../session/handler.ts'
import type { CloseInfo } from '../transport/transport.ts'

export interface SetupWatcher {
  /** Both SETUP messages are exchanged; the handler was told. */
  onReady(): void
  /** The session ended before; the handler was told. */
  onFailed(info: CloseInfo): void
}

/**
 * A handler that does what `handler` does, method by method, and tells the watcher. What the handler
 * does not have, this one has not either: such requests are answered NOT_SUPPORTED.
 */
export function watchSetup(handler: SessionHandler, watcher: SetupWatcher): SessionHandler {
  let isReady = false
  const watched: SessionHandler = {
    onReady: (setup) => {
      isReady = true
      handler.onReady?.(setup)
      watcher.onReady()
    },
    onClosed: (info) => {
      handler.onClosed?.(info)
      if (!isReady) watcher.onFailed(info)
    },
  }
  return new Proxy(handler, {
    get(target, name) {
      if (name === 'onReady') return watched.onReady
      if (name === 'onClosed') return watched.onClosed
      const value: unknown = Reflect.get(target, name)
      // Its `this` stays the handler itself, whose private fields no proxy has.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
