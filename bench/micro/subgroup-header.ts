import { Reader } from '../../moq/wire/reader.ts'
import {
  encodeSubgroupHeader,
  readSubgroupHeader,
  type SubgroupHeader,
} from '../../moq/wire/subgroup.ts'
import type { Subject } from './subject.ts'

const OPERATIONS = 1000

const HEADER: SubgroupHeader = {
  trackAlias: 42,
  group: 123_456,
  subgroup: 0,
  priority: null,
  hasProperties: true,
  endOfGroup: false,
  firstObject: true,
}

/** The header of a subgroup stream (draft-18 section 11.4.2): one a group, track and subscriber. */
export const subgroupHeader: Subject = {
  name: 'subgroup-header',
  about: 'one SUBGROUP_HEADER, with its stream type',
  cases() {
    const bytes = encodeSubgroupHeader(HEADER)
    return [
      {
        name: 'encode',
        operations: OPERATIONS,
        run() {
          let size = 0
          for (let i = 0; i < OPERATIONS; i++) size += encodeSubgroupHeader(HEADER).length
          return size
        },
      },
      {
        name: 'decode',
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
  },
}
