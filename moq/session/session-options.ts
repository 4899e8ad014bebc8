import type { Setup } from '../wire/messages.ts'
import type { Property } from '../wire/properties.ts'
import type { Clock } from './clock.ts'
import type { SessionHandler } from './handler.ts'
import type { SessionLimits } from './limits.ts'
import { SetupOption } from './setup-rules.ts'

/** What a `Session` is made with. */
export interface SessionOptions {
  /** Who opened the transport session; it decides the parity of request ids. */
  readonly role: 'client' | 'server'
  readonly handler: SessionHandler
  /** MOQT_IMPLEMENTATION (section 10.3.1.5); a short name and major version. */
  readonly implementation?: string
  /** Further SETUP options, ascending by type. */
  readonly setup?: readonly Property[]
  readonly limits?: Partial<SessionLimits>
  /**
   * Mandatory Track Properties that the owner understands (section 2.5.1); a track with any other is
   * not taken.
   */
  readonly knownProperties?: ReadonlySet<number>
  readonly clock?: Clock
}

/**
 * Our SETUP (draft-18 section 10.3).
 * @param updates MAX_REQUEST_UPDATES; 0 or Infinity: none is sent
 */
export function setupMessage(options: SessionOptions, updates: number): Setup {
  const setup: Property[] = [...(options.setup ?? [])]
  if (options.implementation) {
    const value = new TextEncoder().encode(options.implementation)
    setup.push({ type: SetupOption.MOQT_IMPLEMENTATION, value })
  }
  if (updates > 0 && Number.isFinite(updates)) {
    setup.push({ type: SetupOption.MAX_REQUEST_UPDATES, value: updates })
  }
  setup.sort((a, b) => Number(a.type) - Number(b.type))
  return { type: 'SETUP', options: setup }
}
