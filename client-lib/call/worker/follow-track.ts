import type { Clock } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import type { CallSession, Continuation } from './call-session.ts'

/** Wait before a track that ended or was refused is asked for again, ms. */
const RETRY_MS = 2000

/**
 * Receives a track, again and again where it ends, until the returned function is called.
 * @param onRenewed it is asked for on another session
 */
export function followTrack(
  session: CallSession,
  clock: Clock,
  track: FullTrackName,
  parameters: Parameters,
  onObject: (object: MoqObject) => void,
  continuation: Continuation,
  onRenewed: () => void = () => {},
): () => void {
  let stop = () => {}
  let over = false
  const again = () => {
    if (!over) stop = clock.after(RETRY_MS, follow)
  }
  const follow = () => {
    if (session.closed) return
    const subscription = session.subscribe(
      track,
      parameters,
      { onObject, onRenewed, onRejected: again, onDone: again },
      continuation,
    )
    stop = () => subscription.unsubscribe()
  }
  follow()
  return () => {
    over = true
    stop()
  }
}
