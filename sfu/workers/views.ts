/** How all workers are together, for the ops port. */

import { type DebugSource, debugData, debugPage } from '../operate/debug.ts'
import { type Answer, text } from '../operate/http.ts'
import { mergedRoomsView } from '../operate/rooms-view.ts'
import { placeOfRoom } from './place.ts'
import type { WorkerPool } from './worker-pool.ts'

type Pool = Pick<WorkerPool, 'ask' | 'askAll' | 'isServing'>

/** A probe of Kubernetes waits for a second unless told otherwise. */
const PROBE_MS = 800
const ANSWER_MS = 3000

export class WorkerViews {
  private readonly pool: Pool
  private readonly count: number

  constructor(pool: Pool, count: number) {
    this.pool = pool
    this.count = count
  }

  /** Ready are they when all are: a caller may need any of them. */
  async notReady(): Promise<string[]> {
    const answers = await this.pool.askAll({ kind: 'not-ready' }, PROBE_MS)
    const reasons: string[] = []
    for (let worker = 0; worker < this.count; worker++) {
      const answer = answers.get(worker)
      if (!this.pool.isServing(worker)) reasons.push(`worker ${worker} is being started`)
      else if (!answer) reasons.push(`worker ${worker} does not answer`)
      else reasons.push(...answer.map((reason) => `worker ${worker}: ${reason}`))
    }
    return reasons
  }

  /** As `roomsView`; what a worker does not answer in time is missing. */
  async rooms(room: string | null) {
    if (room === null) {
      return mergedRoomsView([
        ...(await this.pool.askAll({ kind: 'rooms', room }, ANSWER_MS)).values(),
      ])
    }
    const worker = placeOfRoom(room, this.count)
    const view = await this.pool.ask(worker, { kind: 'rooms', room }, ANSWER_MS)
    return mergedRoomsView(view === null ? [] : [view])
  }

  async debug(form: 'page' | 'data', query: URLSearchParams): Promise<Answer> {
    const room = query.get('room')
    if (room === null) return this.debugList(form, query)
    const worker = placeOfRoom(room, this.count)
    const answer = await this.pool.ask(worker, { kind: 'debug', form, room }, ANSWER_MS)
    return answer ?? text(503, `Worker ${worker}, which serves this room, does not answer.`)
  }

  private async debugList(form: 'page' | 'data', query: URLSearchParams): Promise<Answer> {
    const rooms = [...(await this.pool.askAll({ kind: 'room-sizes' }, ANSWER_MS)).values()].flat()
    const source: DebugSource = { rooms: () => rooms, room: () => null }
    return form === 'page' ? debugPage(source, query) : debugData(source, query)
  }
}
