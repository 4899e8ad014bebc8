import { describe, expect, it } from 'vitest'
import {
  type ChatEntry,
  ChatLog,
  deliveryText,
  MOST_ENTRIES,
  startsAnew,
  unreadText,
} from './chat-log.ts'

const text = (id: number, words = `text ${id}`) => ({ id, text: words, sentAt: 0, from: 'bob' })
const entry = (of: Partial<ChatEntry>): ChatEntry => ({
  key: 0,
  from: 'bob',
  name: 'Bob',
  text: '',
  at: 0,
  delivery: null,
  ...of,
})

describe('ChatLog', () => {
  it('counts what comes while it is not seen, and nothing of our own', () => {
    const log = new ChatLog()
    log.received(text(1), 'Bob', 0)
    log.sent(text(1), 'Ann', 1)
    log.received(text(2), 'Bob', 2)
    expect(log.unread).toBe(2)
    log.show(true)
    expect(log.unread).toBe(0)
    log.received(text(3), 'Bob', 3)
    expect(log.unread).toBe(0)
    log.show(false)
    log.received(text(4), 'Bob', 4)
    expect(log.unread).toBe(1)
    expect(log.entries.map(({ text }) => text)).toHaveLength(5)
  })

  it('says of our texts how far they have come, by id, and not of those of others', () => {
    const log = new ChatLog()
    log.received(text(1), 'Bob', 0)
    log.sent(text(1, 'mine'), 'Ann', 1)
    log.delivered({ id: 1, delivered: 1, of: 2 })
    log.delivered({ id: 7, delivered: 1, of: 1 })
    expect(log.entries.map((one) => [one.text, one.delivery])).toEqual([
      ['text 1', null],
      ['mine', { delivered: 1, of: 2 }],
    ])
  })

  it('keeps a bounded number of texts, and forgets all at the end of a call', () => {
    const log = new ChatLog()
    for (let id = 0; id < MOST_ENTRIES + 20; id++) log.sent(text(id), 'Ann', id)
    log.delivered({ id: 0, delivered: 1, of: 1 })
    expect(log.entries).toHaveLength(MOST_ENTRIES)
    expect(log.entries[0]!.text).toBe('text 20')
    log.clear()
    log.delivered({ id: MOST_ENTRIES, delivered: 1, of: 1 })
    expect(log.entries).toEqual([])
  })
})

describe('an entry', () => {
  it('goes on under one name while one person writes, for two minutes', () => {
    const first = entry({ at: 0 })
    expect(startsAnew(first, undefined)).toBe(true)
    expect(startsAnew(entry({ at: 100_000 }), first)).toBe(false)
    expect(startsAnew(entry({ at: 130_000 }), first)).toBe(true)
    expect(startsAnew(entry({ at: 1, from: null }), first)).toBe(true)
  })

  it.each([
    [null, 'Sent'],
    [{ delivered: 0, of: 2 }, 'Sent'],
    [{ delivered: 1, of: 2 }, 'Delivered to 1 of 2'],
    [{ delivered: 2, of: 2 }, 'Delivered to all 2'],
    [{ delivered: 1, of: 1 }, 'Delivered'],
    [{ delivered: 0, of: 0 }, 'Nobody else was here'],
  ])('of ours with delivery %j reads “%s”', (delivery, words) => {
    expect(deliveryText(entry({ delivery }))).toBe(words)
  })

  it.each([
    [0, ''],
    [1, '1'],
    [99, '99'],
    [100, '99+'],
  ])('unread %i are shown as “%s”', (unread, words) => {
    expect(unreadText(unread)).toBe(words)
  })
})
