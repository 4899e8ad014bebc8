/**
 * Handlers whose faults go no further. A session closes when a handler throws, as it cannot know what
 * else is wrong; but what one participant sends must not end the call with all the others.
 */

import type { FetchHandler } from '../../../moq/session/index.ts'
import type { CallSubscriptionHandler } from './call-session.ts'

type OnFault = (error: unknown) => void

export function shelteredSubscription(
  handler: CallSubscriptionHandler,
  onFault: OnFault,
): CallSubscriptionHandler {
  const guard = guardOf(onFault)
  return {
    onAccepted: (accepted) => guard(() => handler.onAccepted?.(accepted)),
    // Without a closure for each object.
    onObject(object) {
      try {
        handler.onObject(object)
      } catch (error) {
        onFault(error)
      }
    },
    onRenewed: () => guard(() => handler.onRenewed?.()),
    onRejected: (error) => guard(() => handler.onRejected?.(error)),
    onDone: (done) => guard(() => handler.onDone?.(done)),
  }
}

export function shelteredFetch(handler: FetchHandler, onFault: OnFault): FetchHandler {
  const guard = guardOf(onFault)
  return {
    onAccepted: (accepted) => guard(() => handler.onAccepted?.(accepted)),
    onObject: (object) => guard(() => handler.onObject(object)),
    onRangeEnd: (end) => guard(() => handler.onRangeEnd?.(end)),
    onEnd: () => guard(() => handler.onEnd?.()),
    onRejected: (error) => guard(() => handler.onRejected?.(error)),
    onReset: (code) => guard(() => handler.onReset?.(code)),
    onGoaway: (goaway) => guard(() => handler.onGoaway?.(goaway)),
  }
}

function guardOf(onFault: OnFault): (task: () => void) => void {
  return (task) => {
    try {
      task()
    } catch (error) {
      onFault(error)
    }
  }
}
