import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from './heap.ts'

interface Item {
  readonly key: number
  at: number
}

class ItemHeap extends Heap<Item> {
  protected override before(a: Item, b: Item): boolean {
    return a.key < b.key
  }

  protected override placed(item: Item, at: number): void {
    item.at = at
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ add: fc.nat(20) }),
    fc.record({ remove: fc.nat(50) }),
    fc.record({ retainBelow: fc.nat(20) }),
  ),
  { maxLength: 200 },
)

describe('Heap', () => {
  it('has what goes first on top, whatever is added and removed', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const heap = new ItemHeap()
        let model: Item[] = []
        for (const step of all) {
          if ('add' in step) {
            const item = { key: step.add, at: -1 }
            heap.add(item)
            model.push(item)
          } else if ('remove' in step && model.length > 0) {
            const [item] = model.splice(step.remove % model.length, 1)
            heap.remove(item!.at)
          } else if ('retainBelow' in step) {
            heap.retain(({ key }) => key < step.retainBelow)
            model = model.filter(({ key }) => key < step.retainBelow)
          }
          expect(heap.size).toBe(model.length)
          expect(heap.top?.key).toBe(
            model.length > 0 ? Math.min(...model.map(({ key }) => key)) : undefined,
          )
          expect(new Set(heap.list())).toEqual(new Set(model))
        }
      }),
    )
  })
})
