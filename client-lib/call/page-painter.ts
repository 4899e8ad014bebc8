import { PainterLink } from '../painting/painter-link.ts'
import workerUrl from '../painting/worker.ts?worker&url'
import { startWorker } from './start-worker.ts'

let painter: PainterLink | null = null

/** The painter of this page, for all its calls: started when it is first asked for, and there to stay. */
export function pagePainter(): PainterLink {
  painter ??= new PainterLink(startWorker(workerUrl, 'sotto pictures'))
  return painter
}
