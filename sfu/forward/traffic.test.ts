import { describe, expect, it } from 'vitest'
import { participantNamespace } from '../../moq/media/names.ts'
import { relayNamespace } from '../../moq/media/relay-tracks.ts'
import { namespaceOf } from '../../moq/wire/names.ts'
import { TRAFFIC, trafficOf } from './traffic.ts'

const utf8 = new TextEncoder()
const classes = (name: string, namespace = participantNamespace('demo', 'alice')) => {
  const { stream, datagram } = trafficOf({ namespace, name: utf8.encode(name) })
  return [TRAFFIC[stream], TRAFFIC[datagram]]
}

describe('the traffic class of a track', () => {
  it('is told by its name in a call', () => {
    expect(classes('audio')).toEqual(['audio', 'audio'])
    expect(classes('screen-audio')).toEqual(['audio', 'audio'])
    expect(classes('video/2')).toEqual(['base', 'enhancement'])
    expect(classes('screen')).toEqual(['screen', 'enhancement'])
    expect(classes('speakers', relayNamespace('demo'))).toEqual(['signalling', 'signalling'])
    expect(classes('anything')).toEqual(['other', 'other'])
    expect(classes('audio', namespaceOf('elsewhere', 'demo', 'alice'))).toEqual(['other', 'other'])
  })

  it('lets nothing that a participant publishes go before sound but what goes to our own services', () => {
    const audio = TRAFFIC.indexOf('audio')
    for (const name of ['catalog', 'chat', 'verify', 'video/0', 'screen', 'report', 'x']) {
      expect(TRAFFIC.indexOf(classes(name)[0]!), name).toBeGreaterThan(audio)
    }
    expect(classes('mls')).toEqual(['signalling', 'signalling'])
  })
})
