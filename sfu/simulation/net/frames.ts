/** What packets of the simulated transport carry: as much of QUIC's frames as streams need. */

export type StreamKind = 'uni' | 'bidi'

/** Bytes of a stream. One that is sent again has the same bounds. */
export interface StreamFrame {
  readonly type: 'stream'
  readonly id: number
  readonly kind: StreamKind
  readonly offset: number
  readonly bytes: Uint8Array
  readonly fin: boolean
}

export interface DatagramFrame {
  readonly type: 'datagram'
  readonly bytes: Uint8Array
}

/** What steers streams and is sent again until it is there. */
export type ControlFrame =
  | {
      readonly type: 'reset'
      readonly id: number
      readonly kind: StreamKind
      readonly code: number
    }
  | { readonly type: 'stop'; readonly id: number; readonly kind: StreamKind; readonly code: number }
  /** The receiver takes bytes of the stream up to here. */
  | { readonly type: 'window'; readonly id: number; readonly end: number }
  /** Another stream may be opened. */
  | { readonly type: 'credit'; readonly kind: StreamKind }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }

export type Frame = StreamFrame | DatagramFrame | ControlFrame

/** Payload of a QUIC packet, and of all that it is wrapped in; bytes. */
export const PACKET_BYTES = 1200
const PACKET_OVERHEAD = 24
const FRAME_OVERHEAD = 8
export const FRAMES_BYTES = PACKET_BYTES - PACKET_OVERHEAD
/** IP and UDP. */
export const WIRE_OVERHEAD = 28
export const ACK_BYTES = 40
export const MAX_DATAGRAM = FRAMES_BYTES - FRAME_OVERHEAD

export function frameBytes(frame: Frame): number {
  return FRAME_OVERHEAD + ('bytes' in frame ? frame.bytes.length : 0)
}

/** A packet on its way: frames, or acknowledgements of the other direction's packets. */
export type WirePacket =
  | { readonly number: number; readonly frames: readonly Frame[] }
  | { readonly acknowledged: readonly number[] }
