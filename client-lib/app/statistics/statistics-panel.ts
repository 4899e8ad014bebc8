/** The figures of a call, anew each second while the panel is open: our way first, then each participant. */

import type { Snapshot } from '../../index.ts'
import { element, find, svg } from '../dom.ts'
import { bitrateText, linePath, msText, shareText } from './figures.ts'
import { History, type ParticipantFigures, POINTS, type TrackFigures } from './history.ts'

const GRAPH = { width: 132, height: 28, points: POINTS } as const
const TRANSPORTS = { webtransport: 'WebTransport', websocket: 'WebSocket' } as const
const KINDS = {
  audio: 'Sound',
  video: 'Camera',
  screen: 'Screen',
  'screen-audio': 'Screen sound',
} as const

export class StatisticsPanel {
  readonly #body = find('#statistics-body', HTMLElement)
  #history = new History()
  #open = false

  /** The person sees the panel now, or does no longer. */
  show(open: boolean, snapshot: Snapshot | null): void {
    this.#open = open
    if (open && snapshot) this.#draw(snapshot)
  }

  update(snapshot: Snapshot, now: number): void {
    if (this.#history.note(snapshot, now) && this.#open) this.#draw(snapshot)
  }

  clear(): void {
    this.#history = new History()
    this.#body.replaceChildren()
  }

  #draw(snapshot: Snapshot): void {
    const { rtt, queue, people } = this.#history
    const { path, epoch, transport, suite, joinMs } = snapshot
    const call = section('This call', [
      ['Round trip to the relay', msText(path.rttMs)],
      ['Queue', msText(path.queueMs)],
      ['Transport', TRANSPORTS[transport]],
      ['Epoch', String(epoch)],
      ['Key agreement', suite.mls],
      ['Media encryption', suite.sframe],
      ['Keys after', msText(joinMs.keys)],
      ['Picture after', msText(joinMs.firstPicture)],
    ])
    call.append(
      graphs([
        ['Round trip', rtt, 50, msText(path.rttMs)],
        ['Queue', queue, 50, msText(path.queueMs)],
      ]),
    )
    this.#body.replaceChildren(call, ...people.map(participantSection))
  }
}

function participantSection(figures: ParticipantFigures): HTMLElement {
  const { name, local, sinceEpoch, keyEpoch, tracks, bitrates, frames, losses, queues } = figures
  const title = local ? `${name} (you)` : name || 'Somebody'
  const queueMs = queues.at(-1) ?? 0
  const part = section(title, [
    ...row('In the group since epoch', sinceEpoch, String),
    ...row(local ? 'Sends under epoch' : 'Last frame under epoch', keyEpoch, String),
    ...(local ? [] : row('Not decrypted', figures.decryptFailures, String)),
  ])
  const ofReceived: readonly Line[] = [
    ['Loss', losses, 0.05, shareText(losses.at(-1) ?? 0)],
    ['Queue', queues, 50, msText(queueMs)],
  ]
  part.append(
    graphs([
      [local ? 'Sent' : 'Received', bitrates, 100_000, bitrateText(bitrates.at(-1) ?? 0)],
      ['Frames a second', frames, 30, String(frames.at(-1) ?? 0)],
      ...(local ? [] : ofReceived),
    ]),
    ...tracks.map(trackPart),
  )
  return part
}

function trackPart(figures: TrackFigures): HTMLElement {
  const { kind, direction, rendition, active, codec, size, temporalLayers, loss } = figures
  const { framesPerSecond, queueMs, heldMs, epoch } = figures
  const number = rendition === null ? '' : `, rendition ${rendition}`
  const off = direction === 'send' && kind !== 'audio' ? 'not sent now' : 'muted'
  const received = direction === 'receive'
  const rows: readonly Row[] = [
    ['Rate', active ? bitrateText(figures.bitrate) : off],
    ...row('Up to', size, ({ width, height }) => `${width} × ${height}`),
    ...row('Frames a second', framesPerSecond, String),
    ...row('Layers', temporalLayers, String),
    ...row('Loss', loss, shareText),
    ...row('Queue', queueMs, msText),
    ...row('Held back', heldMs, msText),
    ['Frames dropped', String(figures.framesDropped)],
    ...(received ? row('Not decrypted', figures.decryptFailures, String) : []),
    ...row('Key epoch', epoch, String),
    ['Codec', codec],
  ]
  const part = element('div', '', active ? 'track' : 'track idle')
  part.append(element('h4', `${KINDS[kind]}${number}`), list(rows))
  return part
}

type Row = readonly [name: string, value: string]

/** None where nothing is known. */
function row<T>(name: string, value: T | null, text: (value: T) => string): readonly Row[] {
  return value === null ? [] : [[name, text(value)]]
}

function section(title: string, rows: readonly Row[]): HTMLElement {
  const made = element('section', '')
  made.append(element('h3', title))
  if (rows.length > 0) made.append(list(rows))
  return made
}

function list(rows: readonly Row[]): HTMLElement {
  const made = element('dl', '')
  for (const [name, value] of rows) made.append(element('dt', name), element('dd', value))
  return made
}

type Line = readonly [title: string, values: readonly number[], least: number, now: string]

function graphs(lines: readonly Line[]): HTMLElement {
  const made = element('div', '', 'graphs')
  for (const [title, values, least, now] of lines) {
    const { width, height } = GRAPH
    const picture = svg('svg', {
      viewBox: `0 -1 ${width} ${height + 2}`,
      role: 'img',
      'aria-label': `${title} over the last minute, now ${now}`,
    })
    picture.append(svg('path', { d: linePath(values, { ...GRAPH, least }) }))
    const figure = element('figure', '')
    figure.append(element('figcaption', title), picture)
    made.append(figure)
  }
  return made
}
