import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../keys/simulated-room.ts'
import { Chat } from './chat.ts'
import { ChatError } from './errors.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import type { ChatDelivery, ReceivedText } from './types.ts'

const START = Date.UTC(2030, 0, 1)

class Member {
  readonly id: string
  readonly chat: Chat
  readonly texts: ReceivedText[] = []
  readonly deliveries: ChatDelivery[] = []

  constructor(id: string, room: Room) {
    this.id = id
    this.chat = new Chat({
      participantId: id,
      clock: room.clock,
      wallClock: () => START + room.clock.now(),
      members: () => room.members.map((member) => member.id).filter((other) => other !== id),
      publish: (bytes) => room.spread(this, bytes),
      onText: (text) => this.texts.push(text),
      onDelivered: (delivery) => this.deliveries.push(delivery),
    })
  }

  heard(from: string): string[] {
    return this.texts.filter((text) => text.from === from).map(({ text }) => text)
  }

  delivery(id: number): string {
    const last = this.deliveries.findLast((delivery) => delivery.id === id)
    return `${last?.delivered} of ${last?.of}`
  }
}

/** Objects are delayed, overtake each other, and get lost; each is for those who are there now. */
class Room {
  readonly clock = new FakeClock()
  members: Member[] = []
  loss = 0
  sent = 0
  private readonly random: () => number

  constructor(seed = 1) {
    this.random = seededRandom(seed)
  }

  join(id: string): Member {
    const member = new Member(id, this)
    this.members.push(member)
    for (const { chat } of this.members) chat.membersChanged()
    return member
  }

  leave(gone: Member): void {
    this.members = this.members.filter((member) => member !== gone)
    gone.chat.close()
    for (const { chat } of this.members) chat.membersChanged()
  }

  spread(from: Member, bytes: Uint8Array): void {
    this.sent++
    for (const to of this.members) {
      if (to === from || this.random() < this.loss) continue
      this.clock.after(5 + this.random() * 100, () => to.chat.receive(from.id, bytes))
    }
  }

  run(ms: number): void {
    const until = this.clock.now() + ms
    while (this.clock.step(until));
  }
}

function roomOf(...ids: string[]): [Room, ...Member[]] {
  const room = new Room()
  return [room, ...ids.map((id) => room.join(id))]
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    return error instanceof ChatError ? error.code : String(error)
  }
}

describe('a chat', () => {
  it('brings a text to everybody, and tells its sender to how many', () => {
    const [room, ann, bob, cyn] = roomOf('ann', 'bob', 'cyn')
    const sent = ann!.chat.send('hello')
    expect(sent).toEqual({ id: 1, text: 'hello', sentAt: START })
    expect(ann!.delivery(1)).toBe('0 of 2')
    room.run(1000)
    expect(bob!.texts).toEqual([{ from: 'ann', ...sent }])
    expect(cyn!.heard('ann')).toEqual(['hello'])
    expect(ann!.delivery(1)).toBe('2 of 2')
    const { sent: objects } = room
    room.run(60_000)
    expect(room.sent).toBe(objects)
  })

  it.each([1, 2, 3, 4])('keeps the order of each sender under loss, once each, seed %i', (seed) => {
    const room = new Room(seed)
    const [ann, bob, cyn] = ['ann', 'bob', 'cyn'].map((id) => room.join(id))
    room.loss = 0.3
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`)
    for (const text of texts) {
      ann!.chat.send(text)
      bob!.chat.send(text)
      room.run(250)
    }
    room.run(30_000)
    for (const receiver of [bob!, cyn!]) {
      const heard = receiver.heard('ann')
      expect(heard).toEqual(texts.filter((text) => heard.includes(text)))
      expect(heard.length).toBeGreaterThanOrEqual(19)
    }
    expect(cyn!.heard('bob').length).toBeGreaterThanOrEqual(19)
  })

  it('counts what was not acknowledged as not delivered', () => {
    const [room, ann] = roomOf('ann', 'bob')
    room.loss = 1
    ann!.chat.send('lost')
    room.run(60_000)
    expect(ann!.delivery(1)).toBe('0 of 1')
    expect(room.sent).toBe(5)
  })

  it('hands a text over 5 s late when the one before it never comes, and does not claim that one', () => {
    const [room, ann, bob] = roomOf('ann', 'bob')
    ann!.chat.send('one')
    room.run(500)
    const text = (id: number, text: string) =>
      encodeMessage({ kind: 'text', session: START, id, base: 1, sentAt: START, text })
    bob!.chat.receive('ann', text(3, 'three'))
    room.run(4900)
    expect(bob!.heard('ann')).toEqual(['one'])
    room.run(200)
    expect(bob!.heard('ann')).toEqual(['one', 'three'])
    bob!.chat.receive('ann', text(2, 'two'))
    room.run(500)
    expect(bob!.heard('ann')).toEqual(['one', 'three'])
    room.loss = 1
    for (const text of ['two', 'three']) ann!.chat.send(text)
    room.loss = 0
    bob!.chat.receive('ann', text(3, 'three'))
    room.run(500)
    expect(ann!.delivery(2)).toBe('0 of 1')
    expect(ann!.delivery(3)).toBe('1 of 1')
  })

  it('gives a newcomer nothing that was sent before it came, though others still miss it', () => {
    const [room, ann, bob] = roomOf('ann', 'bob')
    room.loss = 1
    ann!.chat.send('before')
    room.loss = 0
    const cyn = room.join('cyn')
    room.run(30_000)
    expect(cyn.texts).toEqual([])
    expect(bob!.texts).toEqual([])
    ann!.chat.send('after')
    room.run(1000)
    expect(cyn.heard('ann')).toEqual(['after'])
    expect(ann!.delivery(2)).toBe('2 of 2')
  })

  it('counts who left without the text no more', () => {
    const [room, ann, bob] = roomOf('ann', 'bob', 'cyn')
    room.leave(bob!)
    ann!.chat.send('one')
    room.loss = 1
    ann!.chat.send('two')
    room.loss = 0
    room.leave(room.members[1]!)
    expect(ann!.delivery(1)).toBe('0 of 0')
    expect(ann!.delivery(2)).toBe('0 of 0')
  })

  it('takes a sender that begins anew for a new one, and an old session for nothing', () => {
    const [room, ann, bob] = roomOf('ann', 'bob')
    ann!.chat.send('first')
    room.run(1000)
    room.leave(ann!)
    const again = room.join('ann')
    again.chat.send('second')
    room.run(1000)
    bob!.chat.receive(
      'ann',
      encodeMessage({ kind: 'text', session: START, id: 2, base: 1, sentAt: 0, text: 'replayed' }),
    )
    room.run(10_000)
    expect(bob!.heard('ann')).toEqual(['first', 'second'])
    expect(again.delivery(1)).toBe('1 of 1')
  })
})

describe('limits of a chat', () => {
  it('refuse what is empty, too long, or too fast, and go on', () => {
    const [room, ann, bob] = roomOf('ann', 'bob')
    const { chat } = ann!
    expect(codeOf(() => chat.send(' \n\u202e '))).toBe('empty')
    expect(codeOf(() => chat.send('x'.repeat(4001)))).toBe('too-long')
    expect(codeOf(() => chat.send('ä'.repeat(2001)))).toBe('too-long')
    const codes = Array.from({ length: 12 }, (_, i) => codeOf(() => chat.send(`${i}`)))
    expect(codes.filter((code) => code === 'none')).toHaveLength(10)
    expect(codes.slice(10)).toEqual(['too-fast', 'too-fast'])
    room.run(1000)
    chat.send('later')
    room.run(1000)
    expect(bob!.heard('ann')).toHaveLength(11)
  })

  it('hold a flooding sender down, and clean what it sends', () => {
    const [room, , bob] = roomOf('eve', 'bob')
    for (let id = 1; id <= 500; id++) {
      const text = `<b>\u202e${id}\u0007`
      const message = { kind: 'text', session: 1, id, base: 1, sentAt: 0, text } as const
      bob!.chat.receive('eve', encodeMessage(message))
    }
    room.run(1000)
    expect(bob!.heard('eve').length).toBe(60)
    expect(bob!.heard('eve')[0]).toBe('<b>1')
  })

  it('stand gaps as far as numbers go', () => {
    const [room, ann, bob] = roomOf('eve', 'bob')
    for (const id of [1, 2 ** 52, 2 ** 53 - 2]) {
      const message = { kind: 'text', session: 1, id, base: 1, sentAt: 0, text: `${id}` } as const
      bob!.chat.receive('eve', encodeMessage(message))
      room.run(6000)
    }
    expect(bob!.heard('eve')).toHaveLength(3)
    expect(ann!.texts).toEqual([])
  })

  it('ignore what is no message, and kinds of later versions', () => {
    const [, , bob] = roomOf('eve', 'bob')
    for (const bytes of [[], [9], [1], [1, 1, 0], [1, 2, 255], [1, 7, 1, 2, 3]]) {
      bob!.chat.receive('eve', Uint8Array.from(bytes))
    }
    expect(bob!.texts).toEqual([])
    expect(decodeMessage(Uint8Array.of(1, 7, 1, 2))).toBeNull()
  })
})
