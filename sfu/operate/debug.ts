/**
 * `/debug`: why a picture is bad. A page without scripts that shows, for a live room, each subscriber's
 * queues, budget, chosen layers, gates and last drops with their reasons, and loads itself anew.
 */

import { createHash } from 'node:crypto'
import type { RoomView } from '../relay/index.ts'
import { Html, html } from './html.ts'
import { type Answer, json, text } from './http.ts'

/** What the page asks of the relay. */
export interface DebugSource {
  /** Rooms with the number of those in them. */
  rooms(): readonly { readonly room: string; readonly participants: number }[]
  /** Null where there is no such room. */
  room(name: string): RoomView | null
}

type Subscriber = RoomView['subscribers'][number]
type Subscription = Subscriber['subscriptions'][number]

const REFRESH_S = 2
const STYLE = `
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color-scheme: light dark; }
h2 { margin: 2rem 0 0.25rem; font-size: 1.1rem; }
table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; vertical-align: top; font-weight: normal; }
th { opacity: 0.65; }
td { font-variant-numeric: tabular-nums; }
p { margin: 0.2rem 0; }
.bad { color: #c62828; }
`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
}

/** `/debug` lists the rooms; `/debug?room=name` shows one. */
export function debugPage(source: DebugSource, query: URLSearchParams): Answer {
  const name = query.get('room')
  if (name === null) return page(200, 'Rooms', roomList(source))
  const view = source.room(name)
  if (view) return page(200, `Room ${name}`, roomPage(view))
  return page(
    404,
    'No such room',
    html`<p>Nobody is in a room of this name. <a href="/debug">Rooms</a></p>`,
  )
}

/** `/debug.json?room=name`: the same as data. */
export function debugData(source: DebugSource, query: URLSearchParams): Answer {
  const name = query.get('room')
  if (name === null) return json(200, { rooms: source.rooms() })
  const view = source.room(name)
  return view ? json(200, view) : text(404, 'Nobody is in a room of this name.')
}

function page(status: number, title: string, body: Html): Answer {
  const whole = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="${REFRESH_S}">
<meta name="viewport" content="width=device-width">
<title>${title} · Sotto</title>
<style>${new Html(STYLE)}</style>
<h1>${title}</h1>
${body}
</html>
`
  return { status, headers: HEADERS, body: whole.text }
}

function roomList(source: DebugSource): Html {
  const rooms = source.rooms()
  if (rooms.length === 0) return html`<p>There is no room now.</p>`
  return html`<table><tr><th>Room</th><th>Participants</th></tr>${rooms.map(
    ({ room, participants }) =>
      html`<tr><td><a href="/debug?room=${encodeURIComponent(room)}">${room}</a></td><td>${participants}</td></tr>`,
  )}</table>`
}

function roomPage(view: RoomView): Html {
  const { speakers, publishers, subscribers, leftOut, now } = view
  const spoken = speakers.map(({ participant, speaking }) =>
    speaking ? `${participant} (speaks)` : participant,
  )
  return html`<p><a href="/debug">Rooms</a> · <a href="/debug.json?room=${encodeURIComponent(view.room)}">as JSON</a></p>
<p>Participants: ${view.participants.join(', ')}</p>
<p>Who spoke last: ${spoken.join(', ') || 'nobody yet'}</p>
<h2>Publishers</h2>
<table><tr><th>Participant</th><th>Arrives</th><th>Uplink</th></tr>${publishers.map(
    ({ participant, bitrate, estimate }) =>
      html`<tr><td>${participant}</td><td>${rate(bitrate)}</td><td>${estimate === null ? 'not known' : rate(estimate)}</td></tr>`,
  )}</table>
${subscribers.map((subscriber) => subscriberPart(subscriber, now))}
${leftOut.subscribers > 0 ? html`<p>${leftOut.subscribers} more subscribers are not shown.</p>` : ''}`
}

function subscriberPart(subscriber: Subscriber, now: number): Html {
  const { participants, transport, queues, subscriptions, leftOut } = subscriber
  const waiting = Object.entries(queues.queues).filter(([, size]) => size > 0)
  const queued = waiting.map(([traffic, size]) => `${size} ${traffic}`).join(', ')
  return html`<h2>To ${participants.join(', ') || 'a subscriber without a name'}</h2>
<p>${transport}; waiting: ${bytes(queues.waitingBytes)}${queued && ` (${queued})`}</p>
${pathPart(subscriber)}${receiverPart(subscriber)}
<table><tr><th>Track</th><th>Class</th><th>Waiting</th><th>Gate</th><th>Last drops</th></tr>${subscriptions.map(
    (subscription) => subscriptionRow(subscription, now),
  )}</table>
${leftOut > 0 ? html`<p>${leftOut} more subscriptions are not shown.</p>` : ''}`
}

function pathPart({ path }: Subscriber): Html {
  if (!path) return html``
  const { budget, rttMs, congestionWindow, bytesInFlight, deliveryRate } = path
  const transport =
    rttMs === null
      ? 'the transport tells nothing'
      : `round trip ${rttMs.toFixed(1)} ms, window ${bytes(congestionWindow ?? 0)}, in flight ${bytes(bytesInFlight ?? 0)}, delivers ${rate(deliveryRate ?? 0)}`
  return html`<p>Budget ${rate(budget.bitsPerSecond)} (proven ${rate(budget.provenBitsPerSecond)}, wanted ${rate(budget.wanted)}), queue in the network ${budget.queueMs} ms${
    budget.draining ? html`, <span class="bad">draining</span>` : ''
  }${budget.probing > 0 ? `, probing at ${rate(budget.probing)}` : ''}; ${transport}</p>`
}

function receiverPart({ receiver }: Subscriber): Html {
  if (!receiver) return html`<p>It does not report: it gets each track whole.</p>`
  return html`<table><tr><th>Picture</th><th>Sent</th><th>Chosen</th><th>Would have</th><th>Shown at</th></tr>${receiver.pictures.map(
    ({
      participant,
      source,
      chosen,
      wanted,
      wish,
      ...now
    }) => html`<tr><td>${participant} ${source}</td>
<td>${now.rendition < 0 ? 'nothing' : step(now)}${now.awaited >= 0 ? `, waits ${Math.round(now.awaitedMs)} ms for a key frame of ${now.awaited}` : ''}</td>
<td>${chosen ? step(chosen) : 'nothing'}</td><td>${wanted ? step(wanted) : 'nothing'}</td>
<td>${wish.hidden ? 'hidden' : `${wish.width}×${wish.height}`}${wish.pinned ? ', pinned' : ''}</td></tr>`,
  )}</table>`
}

function subscriptionRow(subscription: Subscription, now: number): Html {
  const { track, gate, demand, waiting, drops, forward } = subscription
  return html`<tr><td>${track}${forward ? '' : ' (paused)'}</td><td>${subscription.class}</td><td>${waiting}</td>
<td>${demand === 0 ? 'not chosen' : gateState(gate)}</td>
<td>${drops
    .toReversed()
    .map(
      ({ reason, objects, until }) =>
        html`<p>${objects} × ${reason}, ${((now - until) / 1000).toFixed(1)} s ago</p>`,
    )}</td></tr>`
}

function gateState(gate: Subscription['gate']): Html {
  if (!gate) return html`none`
  return gate.open
    ? html`open in group ${gate.group}`
    : html`<span class="bad">waits for a key frame</span>`
}

function step({
  rendition,
  temporalLayers,
}: {
  rendition: number
  temporalLayers: number
}): string {
  return `rendition ${rendition}, ${temporalLayers} ${temporalLayers === 1 ? 'layer' : 'layers'}`
}

function rate(bitsPerSecond: number): string {
  return bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1000)} kbit/s`
}

function bytes(count: number): string {
  return count >= 10_000 ? `${Math.round(count / 1000)} kB` : `${count} B`
}
