/**
 * What a receiver tells its relay, so that the relay can choose for it: which pictures it shows, how
 * large and how much they matter, and what arrives. A client that wants the relay to choose subscribes
 * to all renditions `video/<n>` of a participant and publishes a track `report` in its own namespace,
 * which the relay subscribes to. From the first report on, the relay takes the session's subscriptions
 * to `video/<n>` of one namespace for a switching set and forwards one of them at a time. A client
 * without reports gets each track that it subscribes to. No parameter or message of MoQT is new.
 *
 * Each object of the track is one report, in a group of its own; a newer one may overtake and replace
 * it. Wishes are sent when they change, each two seconds, and when the relay subscribes; arrivals five
 * times a second.
 *
 *     version (8) = 1, contents (8): 0x01 arrivals, 0x02 wishes
 *     arrivals: interval ms (vi64), bytes (vi64), received (vi64), lost (vi64), queue ms (vi64)
 *     wishes:   count (vi64), then for each:
 *               participant (vi64 length, UTF-8), source (8): 0 camera, 1 screen,
 *               flags (8): 0x01 pinned, 0x02 hidden, priority (8),
 *               width (vi64), height (vi64), framerate (vi64)
 *
 * A report is not end-to-end encrypted: it is addressed to the relay, which could not act on it
 * otherwise. The relay learns from it whose picture a person shows, about how large, and whether it is
 * pinned. It sees whom the person subscribes to and who speaks in any case; what is said and shown
 * stays hidden. Clients round sizes (`roundedSize`), so that a report does not tell of each move of a
 * window, and the relay gives reports to nobody else: participants do not learn who looks at whom.
 */

import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'
import { MediaFormatError } from './errors.ts'
import { checkId } from './names.ts'

export const REPORT_TRACK = 'report'

/** Most wishes of one report, and most bytes of one. */
export const MAX_WISHES = 512

/** Largest report of a receiver that is read, bytes. */
export const MAX_REPORT_BYTES = 65_536

const VERSION = 1
const CONTENTS = { ARRIVALS: 0x01, WISHES: 0x02 } as const
const FLAGS = { PINNED: 0x01, HIDDEN: 0x02 } as const
const SOURCES = ['camera', 'screen'] as const
const MAX_PIXELS = 16_384
const MAX_FRAMERATE = 1000
const MAX_INTERVAL_MS = 60_000
/** Of a wish without its participant's name, and of a report without its wishes, bytes at most. */
const MOST_WISH_BYTES = 20
const MOST_BYTES_BESIDE = 64

/** What a receiver tells the relay: what arrived, and what it shows. */
export interface ReceiverReport {
  /** Null: says nothing of arrivals. */
  readonly arrivals: Arrivals | null
  /** All of the receiver's wishes, which replace those before; null: they are as before. */
  readonly wishes: readonly Wish[] | null
}

/** Of the time since the last report. */
export interface Arrivals {
  /** 1..60,000 */
  readonly intervalMs: number
  /** Bytes of the session that arrived, padding among them. */
  readonly bytes: number
  /** Objects that arrived, and objects that are known to be missing. */
  readonly received: number
  readonly lost: number
  /**
   * How much later objects arrive than the fastest of the last half minute did, ms: the smallest of
   * all publishers' figures, as what they have in common is the path from the relay.
   */
  readonly queueMs: number
}

/** Which picture of a participant's: `camera` or `screen`. */
export type PictureSource = (typeof SOURCES)[number]

/** How a receiver shows one picture. */
export interface Wish {
  readonly participant: string
  readonly source: PictureSource
  /** Pixels of the screen that the picture may take, device pixels; 0 for no limit. */
  readonly width: number
  readonly height: number
  /** Frames a second that are of use; 0 for no limit. */
  readonly framerate: number
  /** 0..255, lower matters more; 128 where a person has not chosen. */
  readonly priority: number
  /** A person put it in front: it goes before whoever speaks. */
  readonly pinned: boolean
  /** It is not on the screen: nothing of it is to be sent. */
  readonly hidden: boolean
}

/**
 * @throws MediaFormatError for a report that `decodeReceiverReport` would refuse
 * @throws RangeError for a number that is no integer from 0 (our own bug)
 */
export function encodeReceiverReport({ arrivals, wishes }: ReceiverReport): Uint8Array {
  const writer = new Writer(32 + (wishes?.length ?? 0) * 32)
  writer.uint8(VERSION)
  writer.uint8((arrivals ? CONTENTS.ARRIVALS : 0) | (wishes ? CONTENTS.WISHES : 0))
  if (arrivals) {
    const { intervalMs, bytes, received, lost, queueMs } = arrivals
    writer.vi64(intervalMs).vi64(bytes).vi64(received).vi64(lost).vi64(queueMs)
  }
  if (wishes) {
    writer.vi64(wishes.length)
    for (const wish of wishes) writeWish(writer, wish)
  }
  const encoded = writer.finish()
  decodeReceiverReport(encoded)
  return encoded
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function writeWish(writer: Writer, wish: Wish): void {
  writer.lengthPrefixed(utf8.encode(wish.participant))
  writer.uint8(SOURCES.indexOf(wish.source))
  writer.uint8((wish.pinned ? FLAGS.PINNED : 0) | (wish.hidden ? FLAGS.HIDDEN : 0))
  writer.uint8(wish.priority)
  writer.vi64(wish.width).vi64(wish.height).vi64(wish.framerate)
}

/** @throws MediaFormatError for anything but one whole report within its bounds */
export function decodeReceiverReport(bytes: Uint8Array): ReceiverReport {
  if (bytes.length > MAX_REPORT_BYTES) {
    throw new MediaFormatError(`report of ${bytes.length} bytes, at most ${MAX_REPORT_BYTES}`)
  }
  try {
    return readReport(new Reader(bytes))
  } catch (error) {
    if (error instanceof MediaFormatError) throw error
    throw new MediaFormatError('report is malformed', { cause: error })
  }
}

function readReport(reader: Reader): ReceiverReport {
  const version = reader.uint8()
  if (version !== VERSION) throw new MediaFormatError(`report version ${version}, not ${VERSION}`)
  const contents = reader.uint8()
  if ((contents & ~(CONTENTS.ARRIVALS | CONTENTS.WISHES)) !== 0) {
    throw new MediaFormatError(`report contents ${contents} are unknown`)
  }
  const arrivals = (contents & CONTENTS.ARRIVALS) !== 0 ? readArrivals(reader) : null
  const wishes = (contents & CONTENTS.WISHES) !== 0 ? readWishes(reader) : null
  reader.end()
  return { arrivals, wishes }
}

function readArrivals(reader: Reader): Arrivals {
  const intervalMs = bounded(reader, 'interval', MAX_INTERVAL_MS)
  if (intervalMs === 0) throw new MediaFormatError('report interval is 0')
  return {
    intervalMs,
    bytes: reader.vi64('bytes'),
    received: reader.vi64('received'),
    lost: reader.vi64('lost'),
    queueMs: bounded(reader, 'queue', MAX_INTERVAL_MS),
  }
}

function readWishes(reader: Reader): Wish[] {
  const count = bounded(reader, 'wishes', MAX_WISHES)
  const wishes: Wish[] = []
  const named = new Set<string>()
  for (let i = 0; i < count; i++) {
    const wish = readWish(reader)
    const name = `${wish.source} ${wish.participant}`
    if (named.has(name)) throw new MediaFormatError('report names a picture twice')
    named.add(name)
    wishes.push(wish)
  }
  return wishes
}

function readWish(reader: Reader): Wish {
  const participant = checkId('participant', fromUtf8.decode(reader.lengthPrefixed()))
  const source = SOURCES[reader.uint8()]
  if (source === undefined) throw new MediaFormatError('report names an unknown source')
  const flags = reader.uint8()
  if ((flags & ~(FLAGS.PINNED | FLAGS.HIDDEN)) !== 0) {
    throw new MediaFormatError(`report flags ${flags} are unknown`)
  }
  return {
    participant,
    source,
    pinned: (flags & FLAGS.PINNED) !== 0,
    hidden: (flags & FLAGS.HIDDEN) !== 0,
    priority: reader.uint8(),
    width: bounded(reader, 'width', MAX_PIXELS),
    height: bounded(reader, 'height', MAX_PIXELS),
    framerate: bounded(reader, 'framerate', MAX_FRAMERATE),
  }
}

function bounded(reader: Reader, what: string, most: number): number {
  const value = reader.vi64(what)
  if (value > most) throw new MediaFormatError(`report ${what} is ${value}, at most ${most}`)
  return value
}

/** Pixels as a report states them: the next multiple of 64, so that it tells little of a window. */
export function roundedSize(pixels: number): number {
  return Math.min(MAX_PIXELS, Math.ceil(pixels / 64) * 64)
}

/** As many of the wishes, from the first on, as one report takes. */
export function fittingWishes(wishes: readonly Wish[]): Wish[] {
  let room = MAX_REPORT_BYTES - MOST_BYTES_BESIDE
  const fitting: Wish[] = []
  for (const wish of wishes) {
    room -= utf8.encode(wish.participant).length + MOST_WISH_BYTES
    if (room < 0 || fitting.length >= MAX_WISHES) break
    fitting.push(wish)
  }
  return fitting
}

/** Arrivals as a report states them: whole numbers within its bounds, whatever was measured. */
export function roundedArrivals(measured: Arrivals): Arrivals {
  const whole = (value: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.round(value)))
  return {
    intervalMs: whole(measured.intervalMs, 1, MAX_INTERVAL_MS),
    bytes: whole(measured.bytes, 0, Number.MAX_SAFE_INTEGER),
    received: whole(measured.received, 0, Number.MAX_SAFE_INTEGER),
    lost: whole(measured.lost, 0, Number.MAX_SAFE_INTEGER),
    queueMs: whole(measured.queueMs, 0, MAX_INTERVAL_MS),
  }
}
