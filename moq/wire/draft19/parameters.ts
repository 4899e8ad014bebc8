/** Message parameters of draft-19 (section 10.2): those of draft-18, some elsewhere, and filters. */

import { PARAMETERS as DRAFT_18 } from '../draft18/parameters.ts'
import type { MessageType } from '../messages.ts'
import type { ParameterDefinition } from '../parameter-table.ts'
import type { Parameters } from '../parameters.ts'
import {
  decodeRangeFilter,
  encodeRangeFilter,
  invalid,
  PLAIN,
  PRIORITY,
  PROPERTY,
  type RangeFilter,
  type RangeFilterForm,
  sameSet,
} from '../range-filter.ts'

type FilterKey = Extract<keyof Parameters, `${string}Filters`>

const OBJECT_FILTER_SCOPE = [
  'FETCH',
  'SUBSCRIBE',
  'SUBSCRIBE_TRACKS',
  'REQUEST_OK',
  'REQUEST_UPDATE',
] as const
const TRACK_FILTER_SCOPE = ['SUBSCRIBE_TRACKS', 'REQUEST_UPDATE'] as const

/** Of one parameter in one message, so that looking for repeated sets stays cheap. */
const MOST_FILTERS = 256

/**
 * GROUP_ORDER leaves PUBLISH_OK for SUBSCRIBE_TRACKS (section 10.2.8), whose PUBLISH messages repeat
 * it (section 10.19.1), though 10.2.8 does not name PUBLISH. Whatever SUBSCRIBE may carry,
 * SUBSCRIBE_TRACKS may carry.
 */
function scopeOf({ key, scope }: ParameterDefinition): readonly MessageType[] {
  if (key === 'groupOrder') return ['SUBSCRIBE', 'SUBSCRIBE_TRACKS', 'FETCH', 'PUBLISH']
  if (!scope.includes('SUBSCRIBE') || scope.includes('SUBSCRIBE_TRACKS')) return scope
  return [...scope, 'SUBSCRIBE_TRACKS']
}

function rangeFilter(
  type: number,
  key: FilterKey,
  scope: readonly MessageType[],
  form: RangeFilterForm,
): ParameterDefinition {
  return {
    key,
    type,
    scope,
    count: (parameters) => parameters[key]!.length,
    write: (writer, parameters, index) =>
      writer.lengthPrefixed(encodeRangeFilter(parameters[key]![index]!, form)),
    read(reader, into, message) {
      const bytes = reader.lengthPrefixed()
      const before = into[key] ?? []
      if (before.length > MOST_FILTERS) return
      const filter = checked(decodeRangeFilter(bytes, form), before, message)
      into[key] = [...before, filter]
    },
  }
}

function checked(
  filter: RangeFilter,
  before: readonly RangeFilter[],
  message: MessageType,
): RangeFilter {
  if (before.length === MOST_FILTERS) return invalid(`more than ${MOST_FILTERS} filters`)
  if (filter.kind === 'remove' && message !== 'REQUEST_UPDATE') return invalid('an empty filter')
  if (before.some((other) => sameSet(filter, other))) return invalid('a set stands twice')
  return filter
}

export const PARAMETERS: readonly ParameterDefinition[] = [
  ...DRAFT_18.map((definition) => ({ ...definition, scope: scopeOf(definition) })),
  rangeFilter(0x25, 'subgroupFilters', OBJECT_FILTER_SCOPE, PLAIN),
  rangeFilter(0x26, 'objectIdFilters', OBJECT_FILTER_SCOPE, PLAIN),
  rangeFilter(0x27, 'priorityFilters', OBJECT_FILTER_SCOPE, PRIORITY),
  rangeFilter(0x28, 'objectPropertyFilters', OBJECT_FILTER_SCOPE, PROPERTY),
  rangeFilter(0x29, 'trackPropertyFilters', TRACK_FILTER_SCOPE, PROPERTY),
]
