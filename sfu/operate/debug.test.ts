import { describe, expect, it } from 'vitest'
import { participantsByRoom, viewRoom } from '../relay/index.ts'
import { SimulcastCamera, Viewer, wish } from '../relay/test-receivers.ts'
import { RelayWorld } from '../relay/test-world.ts'
import { type DebugSource, debugData, debugPage } from './debug.ts'

const query = (text: string) => new URLSearchParams(text)

async function live() {
  const world = new RelayWorld()
  const camera = new SimulcastCamera(world)
  const viewer = new Viewer(world)
  await world.settle()
  viewer.report([wish()])
  await world.settle()
  viewer.watch()
  await world.settle()
  for (let i = 0; i < 20; i++) {
    camera.frames(i === 0)
    await world.settle()
    world.clock.advance(33)
    await world.settle()
  }
  const source: DebugSource = {
    rooms: () =>
      [...participantsByRoom(world.relay)].map(([room, { length }]) => ({
        room,
        participants: length,
      })),
    room: (name) => viewRoom(world.relay, name, world.clock.now()),
  }
  return { world, source, room: source.rooms()[0]!.room }
}

describe('the debug page', () => {
  it('lists the rooms, each with its link', async () => {
    const { source, room } = await live()
    const { status, body } = debugPage(source, query(''))
    expect(status).toBe(200)
    expect(body).toContain(`<a href="/debug?room=${room}">${room}</a>`)
  })

  it('shows of a live room the budget, the chosen layers, gates and drops of each subscriber', async () => {
    const { source, room } = await live()
    const { status, body } = debugPage(source, query(`room=${room}`))
    expect(status).toBe(200)
    expect(body).toMatch(/rendition \d, \d layers?/)
    expect(body).toMatch(/open in group \d+/)
    expect(body).toContain('not chosen')
    const view = JSON.parse(String(debugData(source, query(`room=${room}`)).body))
    expect(view.subscribers.some(({ receiver }: { receiver: unknown }) => receiver !== null)).toBe(
      true,
    )
    expect(view.leftOut).toEqual({ tracks: 0, subscribers: 0 })
  })

  it('tells the last drop first, and how long ago it was', async () => {
    const { source, room } = await live()
    const view = source.room(room)!
    const { now } = view
    const subscribers = view.subscribers.map((subscriber) => ({
      ...subscriber,
      subscriptions: subscriber.subscriptions.map((subscription) => ({
        ...subscription,
        drops: [
          { reason: 'reference', since: now - 9000, until: now - 8000, objects: 12 },
          { reason: 'deadline', since: now - 3000, until: now - 1500, objects: 3 },
        ],
      })),
    }))
    const shown = { ...source, room: () => ({ ...view, subscribers }) }
    expect(debugPage(shown, query(`room=${room}`)).body).toContain(
      '<p>3 × deadline, 1.5 s ago</p><p>12 × reference, 8.0 s ago</p>',
    )
  })

  it('has no script, and a policy that allows none', async () => {
    const { source, room } = await live()
    const { headers, body } = debugPage(source, query(`room=${room}`))
    expect(body).not.toMatch(/<script|javascript:|\son\w+=/i)
    expect(headers?.['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/)
  })

  it('says that there is no such room', async () => {
    const { source } = await live()
    expect(debugPage(source, query('room=nobody')).status).toBe(404)
    expect(debugData(source, query('room=nobody')).status).toBe(404)
  })

  it('shows a name as text, whatever it holds', () => {
    const room = `<img src=x onerror="alert('1')">&`
    const source: DebugSource = { rooms: () => [{ room, participants: 1 }], room: () => null }
    const { body } = debugPage(source, query(''))
    expect(body).not.toContain('<img')
    expect(body).toContain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;')
    expect(debugPage(source, query(`room=${encodeURIComponent(room)}`)).body).not.toContain('<img')
  })
})
