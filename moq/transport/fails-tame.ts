import type { FailsNativeStream, FailsParser } from './fails-types.ts'

/** What the parser's new manners need to know and tell. */
export interface ParserOwner {
  /** False once the session has ended: what still comes is dropped. */
  mayRead(): boolean
  /** False while nobody is there to be told: what comes is held. */
  mayParse(): boolean
  hold(data: Uint8Array): void
  /** Whether a stream of ours has been ordered and has not come yet. */
  isOpening(uni: boolean): boolean
  violated(reason: string): void
  /** The peer has closed the session by a capsule, not by disappearing. */
  closedByPeer(): void
}

/**
 * Makes the package's parser safe against its peer: an error in it ends the session instead of
 * leaving the event loop, and a stream can be opened only by whom it belongs to, and once.
 */
export function tameParser(parser: FailsParser, owner: ParserOwner): void {
  const parseData = parser.parseData.bind(parser)
  const newStream = parser.newStream.bind(parser)
  const closed = parser.onCloseWebTransportSession.bind(parser)
  parser.parseData = (data) => {
    if (!owner.mayRead()) return
    if (!owner.mayParse()) {
      owner.hold(data)
      return
    }
    try {
      parseData(data)
    } catch {
      owner.violated('malformed data')
    }
  }
  parser.newStream = (id, priority): FailsNativeStream | undefined => {
    if (!mayBeNew(parser, owner, id)) throw new RangeError(`stream ${id} cannot be opened`)
    return newStream(id, priority)
  }
  parser.onCloseWebTransportSession = (info) => {
    owner.closedByPeer()
    closed(info)
  }
}

function mayBeNew(parser: FailsParser, owner: ParserOwner, id: bigint): boolean {
  const uni = (id & 2n) !== 0n
  // In this protocol clients open odd streams (draft-richter-webtransport-websocket).
  const ours = ((id & 1n) !== 0n) === parser.isclient
  if (ours) return owner.isOpening(uni)
  const ids = uni ? parser.session.streamIdMngrUni : parser.session.streamIdMngrBi
  const largest = ids.largestPeerCreatedStreamId
  const none = largest === BigInt(Number.MAX_SAFE_INTEGER)
  return none || id > largest || ids.availableStreams.has(id)
}
