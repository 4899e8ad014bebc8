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
      ['Round trip', msText(path.rttMs)],
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
  const { name, local, sinceEpoch, tracks, bitrates, frames } = figures
  const title = local ? `${name} (you)` : name || 'Somebody'
  const part = section(
    title,
    sinceEpoch === null ? [] : [['In the group since epoch', String(sinceEpoch)]],
  )
  part.append(
    graphs([
      [local ? 'Sent' : 'Received', bitrates, 100_000, bitrateText(bitrates.at(-1) ?? 0)],
      ['Frames a second', frames, 30, String(frames.at(-1) ?? 0)],
    ]),
    ...tracks.map(trackPart),
  )
  return part
}

function trackPart(figures: TrackFigures): HTMLElement {
  const { kind, direction, rendition, active, codec, size, temporalLayers, loss } = figures
  const { framesPerSecond } = figures
  const number = rendition === null ? '' : `, rendition ${rendition}`
  const off = direction === 'send' && kind !== 'audio' ? 'not sent now' : 'muted'
  const rows: [string, string][] = [
    ['Rate', active ? bitrateText(figures.bitrate) : off],
    ...(size ? [['Up to', `${size.width} × ${size.height}`] as [string, string]] : []),
    ...(framesPerSecond === null
      ? []
      : [['Frames a second', String(framesPerSecond)] as [string, string]]),
    ...(temporalLayers === null ? [] : [['Layers', String(temporalLayers)] as [string, string]]),
    ...(loss === null ? [] : [['Loss', shareText(loss)] as [string, string]]),
    ['Frames dropped', String(figures.framesDropped)],
    ...(direction === 'receive'
      ? [['Not decrypted', String(figures.decryptFailures)] as [string, string]]
      : []),
    ['Codec', codec],
  ]
  const part = element('div', '', active ? 'track' : 'track idle')
  part.append(element('h4', `${KINDS[kind]}${number}`), list(rows))
  return part
}

function section(title: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  const made = element('section', '')
  made.append(element('h3', title))
  if (rows.length > 0) made.append(list(rows))
  return made
}

function list(rows: readonly (readonly [string, string])[]): HTMLElement {
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
