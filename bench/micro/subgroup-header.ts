import { Reader } from '../../moq/wire/reader.ts'
import {
  encodeSubgroupHeader,
  readSubgroupHeader,
  type SubgroupHeader,
} from '../../moq/wire/subgroup.ts'
import type { Case, Subject } from './subject.ts'

const OPERATIONS = 1000

/** The shortest form, as our media use it. */
const HEADER: SubgroupHeader = {
  trackAlias: 42,
  group: 123_456,
  subgroup: 0,
  priority: null,
  hasProperties: true,
  endOfGroup: false,
  firstObject: true,
}

const FORMS: readonly (readonly [name: string, header: SubgroupHeader])[] = [
  ['of subgroup 0', HEADER],
  ['of its first object', { ...HEADER, subgroup: null }],
  ['of a subgroup', { ...HEADER, subgroup: 3 }],
  ['with a priority', { ...HEADER, priority: 40 }],
  ['of a subgroup, with a priority', { ...HEADER, subgroup: 3, priority: 40, endOfGroup: true }],
]

/** The header of a subgroup stream (draft-18 section 11.4.2): one a group, track and subscriber. */
export const subgroupHeader: Subject = {
  name: 'subgroup-header',
  about: 'one SUBGROUP_HEADER, with its stream type, in each of its forms',
  cases: () => FORMS.flatMap(([name, header]) => casesOf(name, header)),
}

function casesOf(name: string, header: SubgroupHeader): Case[] {
  const bytes = encodeSubgroupHeader(header)
  return [
    {
      name: `encode ${name}`,
      operations: OPERATIONS,
      run() {
        let size = 0
        for (let i = 0; i < OPERATIONS; i++) size += encodeSubgroupHeader(header).length
        return size
      },
    },
    {
      name: `decode ${name}`,
      operations: OPERATIONS,
      run() {
        let sum = 0
        for (let i = 0; i < OPERATIONS; i++) {
          const reader = new Reader(bytes)
          sum += readSubgroupHeader(reader.vi64('stream type'), reader).group
        }
        return sum
      },
    },
  ]
}
