/** What may stand in a REQUEST_OK and in a REQUEST_UPDATE, by the request that they belong to. */

import type { DraftRules } from '../wire/codec.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { RequestOk, RequestUpdate } from '../wire/messages.ts'
import type { Parameters } from '../wire/parameters.ts'

/** The draft's names for a REQUEST_OK (draft-18 section 10.5). */
export type OkName =
  | 'PUBLISH_OK'
  | 'REQUEST_UPDATE_OK'
  | 'TRACK_STATUS_OK'
  | 'PUBLISH_NAMESPACE_OK'
  | 'SUBSCRIBE_NAMESPACE_OK'
  | 'SUBSCRIBE_TRACKS_OK'

/** What a request that is updated makes (section 10.9). */
export type UpdatedRequest =
  | 'subscription'
  | 'FETCH'
  | 'PUBLISH_NAMESPACE'
  | 'SUBSCRIBE_NAMESPACE'
  | 'SUBSCRIBE_TRACKS'

type Keys = readonly (keyof Parameters)[]

/** Range filters are draft-19's; a codec without them never gives any. */
const FILTERS: Keys = [
  'filter',
  'subgroupFilters',
  'objectIdFilters',
  'priorityFilters',
  'objectPropertyFilters',
]
const TIMEOUTS: Keys = ['objectDeliveryTimeout', 'subgroupDeliveryTimeout']
const DELIVERY: Keys = [...TIMEOUTS, ...FILTERS, 'forward', 'subscriberPriority', 'newGroupRequest']

const IN_OK: Readonly<Record<OkName, ReadonlySet<string>>> = {
  PUBLISH_OK: new Set([...DELIVERY, 'groupOrder', 'expires']),
  REQUEST_UPDATE_OK: new Set(['expires', 'largestObject']),
  // What a SUBSCRIBE_OK would have said (section 10.14).
  TRACK_STATUS_OK: new Set(['expires', 'largestObject']),
  PUBLISH_NAMESPACE_OK: new Set(),
  SUBSCRIBE_NAMESPACE_OK: new Set(),
  SUBSCRIBE_TRACKS_OK: new Set(),
}

/** Section 10.2: authorization tokens and delivery timeouts have no scope narrower than the message. */
const ANY: Keys = ['authorizationTokens', ...TIMEOUTS]
const IN_UPDATE: Readonly<Record<UpdatedRequest, ReadonlySet<string>>> = {
  subscription: new Set([...ANY, ...DELIVERY]),
  FETCH: new Set([...ANY, 'subscriberPriority']),
  PUBLISH_NAMESPACE: new Set(ANY),
  SUBSCRIBE_NAMESPACE: new Set([...ANY, 'namespacePrefix']),
  SUBSCRIBE_TRACKS: new Set([...ANY, 'namespacePrefix', 'forward', 'trackPropertyFilters']),
}

/** @throws ProtocolError for a parameter or a property that does not belong there */
export function checkOk(message: RequestOk, name: OkName, rules?: DraftRules): void {
  for (const key in message.parameters) {
    if (IN_OK[name].has(key)) continue
    if (key === 'expires' && rules?.namespacesExpire) continue
    throw new ProtocolError(`parameter ${key} in ${name}`)
  }
  // Section 10.5 names those that must be without; SUBSCRIBE_TRACKS_OK is not among them.
  const mayHave = name === 'TRACK_STATUS_OK' || name === 'SUBSCRIBE_TRACKS_OK'
  if (message.properties.length > 0 && !mayHave) {
    throw new ProtocolError(`track properties in ${name}`)
  }
}

/** @throws ProtocolError for a parameter that the draft does not allow for this kind of request */
export function checkUpdate(message: RequestUpdate, request: UpdatedRequest): void {
  for (const key in message.parameters) {
    if (!IN_UPDATE[request].has(key)) {
      throw new ProtocolError(`parameter ${key} in the REQUEST_UPDATE of a ${request}`)
    }
  }
}
