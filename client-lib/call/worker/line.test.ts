import { describe, expect, it } from 'vitest'
import type { Publication } from '../../../moq/session/publication.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { namespaceOf, textOf, trackOf } from '../../../moq/wire/names.ts'
import { encodeSubgroupBody } from '../../../moq/wire/subgroup.ts'
import { OF_PUBLISHER, OF_RELAY } from './call-session.ts'
import { Line } from './line.ts'

const trackNamed = (name: string) => trackOf(namespaceOf('room'), name)

/** A relay that accepts every subscription, and a line over one session to it. */
async function world() {
  const link = new TestLink()
  const publications = new Map<string, Publication>()
  link.session('server', {
    onSubscribe: (request) => {
      const name = textOf(request.track.name)!
      const publication = request.accept({ trackAlias: publications.size + 1, largest: null }, {})
      publication.start = { group: 0, object: 0 }
      publications.set(name, publication)
    },
    onFetch: (request) => {
      request.accept({ endOfTrack: false, end: { group: 0, object: 1 }, properties: [] })
      const writer = request.openStream(1, 128, 'ascending')!
      const payload = Uint8Array.of(1)
      const properties = new Uint8Array(0)
      writer.object({ group: 0, object: 0, subgroup: 0, priority: null, properties, payload })
      writer.finish()
    },
  })
  const session = link.session('client', {})
  await link.settle()
  const faults: string[] = []
  const line = new Line(link.clock, (what, error) => faults.push(`${what}: ${error}`))
  line.goTo(session)
  const send = async (name: string, group: number) => {
    const publication = publications.get(name)!
    const header = { trackAlias: publication.trackAlias, group, subgroup: 0, priority: null }
    const flags = { hasProperties: false, endOfGroup: true, firstObject: true }
    const writer = publication.openSubgroup({ ...header, ...flags }, 1)!
    writer.write(0, encodeSubgroupBody(null, Uint8Array.of(group)))
    writer.finish()
    await link.settle()
  }
  return { link, session, line, faults, send }
}

describe('a handler that throws', () => {
  it.each([
    OF_PUBLISHER,
    OF_RELAY,
  ])('ends neither the session nor what others hear (%o)', async (source) => {
    const { link, session, line, faults, send } = await world()
    const heard: string[] = []
    const subscribe = (name: string, onObject: () => void, onAccepted?: () => void) =>
      line.subscribe(trackNamed(name), {}, { onObject, ...(onAccepted && { onAccepted }) }, source)
    subscribe(
      'bad',
      () => {
        heard.push('bad')
        throw new TypeError('no such layer')
      },
      () => {
        throw new TypeError('not accepted')
      },
    )
    subscribe('good', () => heard.push('good'))
    await link.settle()
    for (let group = 0; group < 2; group++) {
      await send('bad', group)
      await send('good', group)
    }
    expect(heard).toEqual(['bad', 'good', 'bad', 'good'])
    expect(session.closed).toBe(false)
    expect(faults).toHaveLength(3)
    expect(faults[0]).toMatch(/bad: TypeError: not accepted/)
    expect(faults[1]).toMatch(/bad: TypeError: no such layer/)
    line.close()
  })

  it('of a fetch ends nothing either', async () => {
    const { link, session, line, faults } = await world()
    const [start, end] = [0, 1].map((object) => ({ group: 0, object }))
    line.fetch(
      { kind: 'standalone', track: trackNamed('bad'), start: start!, end: end! },
      {
        onObject: () => {
          throw new TypeError('not asked for')
        },
        onEnd: () => {
          throw new TypeError('over already')
        },
      },
    )
    await link.settle()
    expect(faults).toEqual([
      expect.stringContaining('not asked for'),
      expect.stringContaining('over already'),
    ])
    expect(session.closed).toBe(false)
  })
})
