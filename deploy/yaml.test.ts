import { describe, expect, it } from 'vitest'
import { parseYaml } from './yaml.ts'

describe('parseYaml', () => {
  it('reads maps, lists, scalars, texts and comments', () => {
    const text = `# a comment
name: sotto   # behind a value
empty: {}
none: []
few: [a, 'b']
on: true
count: 3
quoted: "9464"
url: http://a:9090#part
list:
  - first: 1
    second:
      - x
      - y z
  - plain
same:
- a
- b: 1
text: |
  one
    two # kept

  three
last:
`
    expect(parseYaml(text)).toEqual({
      name: 'sotto',
      empty: {},
      none: [],
      few: ['a', 'b'],
      on: true,
      count: 3,
      quoted: '9464',
      url: 'http://a:9090#part',
      list: [{ first: 1, second: ['x', 'y z'] }, 'plain'],
      same: ['a', { b: 1 }],
      text: 'one\n  two # kept\n\nthree\n',
      last: null,
    })
  })

  it.each([
    ['a: 1\na: 2', 'line 2: a comes twice'],
    ['a: &b 1', 'line 1'],
    ['a: *b', 'line 1'],
    ['a: {b: 1}', 'line 1'],
    ['a: "b # c"', 'line 1'],
    ['a:\n\tb: 1', 'line 2: a tab'],
    ['a: 1\n  b: 2', 'line 2'],
    ['a: b: c', 'line 1'],
    ['a: >-\n  b', 'line 1'],
    ['just words', 'line 1: no key'],
  ])('refuses %j', (text, error) => {
    expect(() => parseYaml(text)).toThrow(error)
  })
})
