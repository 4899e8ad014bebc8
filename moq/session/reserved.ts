/** Names that MoQT keeps for itself (draft-18 sections 3.2.1 and 3.2.2). */

import { RequestCode } from '../wire/codes.ts'
import type { RequestMessage } from '../wire/messages.ts'
import { type Namespace, textOf } from '../wire/names.ts'
import type { RequestRefusal } from './refusal.ts'

/**
 * Why a request is refused before its owner sees it: `.` is used for nothing, and of `.session`, which
 * is the implementation's own, nothing is defined yet. Null for every other namespace, those reserved
 * for later included: they are the owner's matter.
 */
export function reservedRefusal(namespace: Namespace): RequestRefusal | null {
  const first = namespace[0] && textOf(namespace[0])
  if (first !== '.' && first !== '.session') return null
  const reason = `the namespace ${first} is reserved`
  return { code: RequestCode.DOES_NOT_EXIST, reason, retryAfterMs: null }
}

/** The namespace that a request names; empty for a joining fetch, which names none. */
export function namespaceIn(message: RequestMessage): Namespace {
  switch (message.type) {
    case 'SUBSCRIBE':
    case 'TRACK_STATUS':
    case 'PUBLISH':
      return message.track.namespace
    case 'FETCH':
      return message.range.kind === 'standalone' ? message.range.track.namespace : []
    case 'PUBLISH_NAMESPACE':
      return message.namespace
    case 'SUBSCRIBE_NAMESPACE':
    case 'SUBSCRIBE_TRACKS':
      return message.prefix
  }
}
