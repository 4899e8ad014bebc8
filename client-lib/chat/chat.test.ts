import { describe, expect, it } from 'vitest'
import { FakeClock, seededRandom } from '../keys/simulated-room.ts'
import { Chat, type ChatOptions } from './chat.ts'
import { ChatError } from './errors.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import type { ChatDelivery, ReceivedData, ReceivedText } from './types.ts'

const START = Date.UTC(2030, 0, 1)

function data(of: { id: number; base: number; bytes: Uint8Array<ArrayBuffer> }): Uint8Array {
  return encodeMessage({ kind: 'data', session: 1, sentAt: 0, topic: '', ...of })
}

/** Of a member that nobody hears. */
function quiet(room: Room): ChatOptions {
  return {
    participantId: 'dan',
    clock: room.clock,
    wallClock: () => START,
    members: () => [],
    publish() {},
    onText() {},
    onData() {},
    onDelivered() {},
  }
}

class Member {
  readonly id: string
  readonly chat: Chat
  readonly texts: ReceivedText[] = []
  readonly data: ReceivedData[] = []
  /** Both, in the order in which they came. */
  readonly all: string[] = []
  readonly deliveries: ChatDelivery[] = []

  constructor(id: string, room: Room) {
    this.id = id
    this.chat = new Chat({
      participantId: id,
      clock: room.clock,
      wallClock: () => START + room.clock.now(),
      members: () => room.members.map((member) => member.id).filter((other) => other !== id),
      publish: (bytes) => room.spread(this, bytes),
      onText: (text) => {
        this.texts.push(text)
        this.all.push(`text ${text.id}`)
      },
      onData: (data) => {
        this.data.push(data)
        this.all.push(`data ${data.id}`)
      },
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

describe('data beside the texts', () => {
  it('comes with its sender and topic, and is acknowledged like a text', () => {
    const [room, ann, bob, cyn] = roomOf('ann', 'bob', 'cyn')
    const bytes = Uint8Array.of(0, 1, 255)
    const sent = ann!.chat.sendData(bytes, 'board')
    expect(sent).toEqual({ id: 1, topic: 'board', sentAt: START })
    bytes.fill(7)
    room.run(1000)
    for (const member of [bob!, cyn!]) {
      expect(member.data).toEqual([{ from: 'ann', ...sent, bytes: Uint8Array.of(0, 1, 255) }])
      expect(member.texts).toEqual([])
    }
    expect(ann!.delivery(1)).toBe('2 of 2')
  })

  it.each([1, 2, 3])('keeps its order with the texts of its sender under loss, seed %i', (seed) => {
    const room = new Room(seed)
    const [ann, bob] = ['ann', 'bob'].map((id) => room.join(id))
    room.loss = 0.3
    const sent: string[] = []
    for (let i = 0; i < 20; i++) {
      if (i % 3 === 0) sent.push(`text ${ann!.chat.send(`${i}`).id}`)
      else sent.push(`data ${ann!.chat.sendData(new Uint8Array(i * 100), 'n').id}`)
      room.run(250)
    }
    room.run(30_000)
    expect(bob!.all).toEqual(sent.filter((one) => bob!.all.includes(one)))
    expect(bob!.all.length).toBeGreaterThanOrEqual(19)
  })

  it('may be empty, and as large as is set, and no larger', () => {
    const [room, ann, bob] = roomOf('ann', 'bob')
    const { chat } = ann!
    chat.sendData(new Uint8Array(0), '')
    chat.sendData(new Uint8Array(16_384), 'x'.repeat(64))
    expect(codeOf(() => chat.sendData(new Uint8Array(16_385), ''))).toBe('too-large')
    room.run(1000)
    expect(bob!.data.map(({ bytes }) => bytes.length)).toEqual([0, 16_384])
    const wide = new Chat({ ...quiet(room), maxDataBytes: 65_536 })
    expect(wide.sendData(new Uint8Array(65_536), '').id).toBe(1)
    expect(codeOf(() => wide.sendData(new Uint8Array(65_537), ''))).toBe('too-large')
  })

  it('has a topic of 64 bytes at most, well-formed', () => {
    const [, ann] = roomOf('ann', 'bob')
    const send = (topic: string) => codeOf(() => ann!.chat.sendData(new Uint8Array(1), topic))
    expect(send('x'.repeat(65))).toBe('bad-topic')
    expect(send('ä'.repeat(33))).toBe('bad-topic')
    expect(send('\ud800')).toBe('bad-topic')
    expect(new ChatError('bad-topic').message).toMatch(/topic/)
  })

  it('shares the rate of the texts, and has one of its own in bytes', () => {
    const [room, ann, bob] = roomOf('ann', 'bob')
    const data = (size: number) => codeOf(() => ann!.chat.sendData(new Uint8Array(size), ''))
    for (let i = 0; i < 5; i++) ann!.chat.send('x')
    expect(Array.from({ length: 6 }, () => data(1)).filter((code) => code === 'none').length).toBe(
      5,
    )
    room.run(10_000)
    const wide = new Chat({ ...quiet(room), maxDataBytes: 65_536 })
    const big = () => codeOf(() => wide.sendData(new Uint8Array(65_000), ''))
    expect([big(), big(), big(), big(), big()]).toEqual([
      'none',
      'none',
      'none',
      'none',
      'too-fast',
    ])
    room.run(1500)
    expect(big()).toBe('none')
    expect(bob!.all).toHaveLength(10)
  })

  it('of a flooding sender is held to a rate, and to half a megabyte that waits', () => {
    const [room, , bob] = roomOf('eve', 'bob')
    const flood = (id: number) =>
      bob!.chat.receive('eve', data({ id, base: 1, bytes: new Uint8Array(65_536) }))
    flood(1)
    // The second never comes: what follows waits, and the oldest is handed over to make room.
    for (let id = 3; id <= 12; id++) flood(id)
    expect(bob!.data.map(({ id }) => id)).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    for (let id = 13; id <= 100; id++) flood(id)
    room.run(1000)
    expect(bob!.data.length).toBeLessThanOrEqual(24)
  })

  it('gives up nothing twice, and hands over nothing twice, when what waited was full', () => {
    const [room, , bob] = roomOf('eve', 'bob')
    const send = (id: number) =>
      bob!.chat.receive('eve', data({ id, base: 1, bytes: new Uint8Array(10) }))
    for (let id = 3; id <= 62; id++) send(id)
    room.run(4000)
    for (let id = 63; id <= 68; id++) send(id)
    send(2)
    room.run(6000)
    const ids = bob!.data.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
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
