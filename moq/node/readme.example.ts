import { namespaceOf, type Session, textOf, trackOf } from '../index.ts'
import { connect } from './index.ts'

/** Subscribes to a track at a relay whose certificate is known by its SHA-256. */
export async function listen(
  url: string, // moqt://host:port/path is raw QUIC, https://host:port/path WebTransport
  sha256: string,
  onText: (text: string | null) => void,
): Promise<Session> {
  const session = await connect(url, { handler: {}, trust: { kind: 'hash', sha256 } })
  session.subscribe(
    trackOf(namespaceOf('sotto', 'demo'), 'chat'),
    { rendezvousTimeout: 5000 }, // ms, for a publisher that comes later
    { onObject: ({ payload }) => onText(textOf(payload)) },
  )
  return session
}
