import {
  createTransportPair,
  namespaceOf,
  Session,
  TrackPublisher,
  textOf,
  trackOf,
} from './index.ts'

/** A publisher and a subscriber in one process; over a network, only the transport differs. */
export function example(onText: (text: string | null) => void): void {
  const { client, server } = createTransportPair()
  const track = new TrackPublisher({ trackAlias: 1, priority: 10 })
  new Session(server, {
    role: 'server',
    handler: { onSubscribe: (request) => track.accept(request) },
  })

  const subscriber = new Session(client, { role: 'client', handler: {} })
  const payload = new TextEncoder().encode('hello')
  const object = { group: 0, object: 0, properties: new Uint8Array(0), payload }
  subscriber.subscribe(
    trackOf(namespaceOf('sotto', 'demo'), 'chat'),
    {},
    {
      onAccepted: () => track.writeStream(0, object), // subgroup 0
      onObject: (received) => onText(textOf(received.payload)),
    },
  )
}
