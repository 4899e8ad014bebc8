/**
 * Message parameters as values (draft-18 section 10.2). Which of them a draft knows, and where they
 * may stand, is its `ParameterTable`.
 */

import { SessionCode } from './codes.ts'
import { ProtocolError } from './errors.ts'
import type { Location } from './location.ts'
import type { Namespace } from './names.ts'
import type { RangeFilter } from './range-filter.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** Section 5.1.2. */
export type SubscriptionFilter =
  | { readonly kind: 'largest-object' }
  | { readonly kind: 'next-group-start' }
  | { readonly kind: 'absolute-start'; readonly start: Location }
  | { readonly kind: 'absolute-range'; readonly start: Location; readonly endGroup: number }

/** Section 10.2.2. */
export type AuthorizationToken =
  | { readonly kind: 'delete'; readonly alias: number }
  | {
      readonly kind: 'register'
      readonly alias: number
      readonly type: number
      readonly value: Uint8Array
    }
  | { readonly kind: 'use-alias'; readonly alias: number }
  | { readonly kind: 'use-value'; readonly type: number; readonly value: Uint8Array }

/** In which order groups are sent (draft-18 section 10.2.8). */
export type GroupOrder = 'ascending' | 'descending'

/** Times in ms. A missing field means that the parameter is not in the message. */
export interface Parameters {
  readonly objectDeliveryTimeout?: number
  readonly authorizationTokens?: readonly AuthorizationToken[]
  readonly rendezvousTimeout?: number
  readonly subgroupDeliveryTimeout?: number
  readonly expires?: number
  readonly largestObject?: Location
  readonly fillTimeout?: number
  readonly forward?: boolean
  readonly subscriberPriority?: number
  readonly filter?: SubscriptionFilter
  readonly groupOrder?: GroupOrder
  readonly newGroupRequest?: number
  readonly namespacePrefix?: Namespace
  /** Range filters came with draft-19 (section 5.1.3 there); draft-18 cannot encode them. */
  readonly subgroupFilters?: readonly RangeFilter[]
  readonly objectIdFilters?: readonly RangeFilter[]
  readonly priorityFilters?: readonly RangeFilter[]
  readonly objectPropertyFilters?: readonly RangeFilter[]
  readonly trackPropertyFilters?: readonly RangeFilter[]
}

export function encodeAuthorizationToken(token: AuthorizationToken): Uint8Array {
  const writer = new Writer(32)
  switch (token.kind) {
    case 'delete':
      return writer.vi64(0x0).vi64(token.alias).finish()
    case 'register':
      return writer.vi64(0x1).vi64(token.alias).vi64(token.type).bytes(token.value).finish()
    case 'use-alias':
      return writer.vi64(0x2).vi64(token.alias).finish()
    case 'use-value':
      return writer.vi64(0x3).vi64(token.type).bytes(token.value).finish()
  }
}

/** @throws ProtocolError (KEY_VALUE_FORMATTING_ERROR) when the structure cannot be decoded */
export function decodeAuthorizationToken(bytes: Uint8Array): AuthorizationToken {
  const reader = new Reader(bytes)
  try {
    const token = readAuthorizationToken(reader)
    reader.end()
    return token
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ProtocolError(
      `authorization token: ${reason}`,
      SessionCode.KEY_VALUE_FORMATTING_ERROR,
    )
  }
}

function readAuthorizationToken(reader: Reader): AuthorizationToken {
  const kind = reader.vi64('alias type')
  switch (kind) {
    case 0x0:
      return { kind: 'delete', alias: reader.vi64('alias') }
    case 0x1:
      return {
        kind: 'register',
        alias: reader.vi64('alias'),
        type: reader.vi64('token type'),
        value: reader.rest(),
      }
    case 0x2:
      return { kind: 'use-alias', alias: reader.vi64('alias') }
    case 0x3:
      return { kind: 'use-value', type: reader.vi64('token type'), value: reader.rest() }
    default:
      throw new ProtocolError(`unknown alias type ${kind}`)
  }
}
