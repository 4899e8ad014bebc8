/** One picture of a participant's in `<sotto-call>`, with who it is. */

import type { Call, Participant, PictureSource } from '../index.ts'
import { make, say } from './dom.ts'

export class Tile {
  readonly element: HTMLLIElement
  private readonly canvas = make('canvas', 'picture')
  private readonly label = make('span', 'label')
  private readonly alarm = make('span', 'alarm')
  private readonly source: PictureSource
  private readonly release: (() => void)[] = []

  constructor(call: Call, { id, local }: Participant, source: PictureSource) {
    this.source = source
    this.canvas.setAttribute('aria-hidden', 'true')
    this.element = make('li', 'tile', [this.canvas, this.label, this.alarm])
    this.element.dataset.participant = id
    this.element.classList.toggle('screen', source === 'screen')
    this.element.classList.toggle('mirrored', local && source === 'camera')
    this.release.push(call.attachVideo(id, this.canvas, source))
    if (!local) this.release.push(this.tellSize(call, id))
  }

  update({ name, local, speaking, alarms, tracks }: Participant): void {
    const kind = this.source === 'camera' ? 'video' : 'screen'
    const picture = tracks.find((track) => track.kind === kind)
    const silent = tracks.every((track) => track.kind !== 'audio' || track.muted)
    this.canvas.hidden = picture === undefined || picture.muted
    const talks = this.source === 'camera' && speaking && !silent
    this.element.classList.toggle('speaking', talks)
    this.element.setAttribute('part', talks ? 'tile speaking' : 'tile')
    const who = local ? `${name} (you)` : name || 'Somebody'
    const muted = silent ? ', muted' : ''
    say(this.label, this.source === 'screen' ? `${who}, screen` : `${who}${muted}`)
    say(this.alarm, this.source === 'camera' ? alarms.join(' ') : '')
  }

  remove(): void {
    for (const release of this.release) release()
    this.element.remove()
  }

  /** The relay sends what is shown, and no more. */
  private tellSize(call: Call, id: string): () => void {
    let box = { width: 0, height: 0 }
    let seen = true
    const tell = () => {
      const width = box.width * devicePixelRatio
      const height = box.height * devicePixelRatio
      call.setView(id, { width, height, hidden: !seen || document.hidden }, this.source)
    }
    const sizes = new ResizeObserver(([entry]) => {
      box = entry?.contentRect ?? box
      tell()
    })
    const sights = new IntersectionObserver((entries) => {
      seen = entries.at(-1)?.isIntersecting ?? seen
      tell()
    })
    sizes.observe(this.element)
    sights.observe(this.element)
    document.addEventListener('visibilitychange', tell)
    return () => {
      sizes.disconnect()
      sights.disconnect()
      document.removeEventListener('visibilitychange', tell)
    }
  }
}
