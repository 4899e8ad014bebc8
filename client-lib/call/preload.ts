import { preloadWorker } from './call-worker.ts'
import { pagePainter } from './page-painter.ts'

/**
 * Loads and starts what the next `joinCall` needs before it is called: for a page that asks for a name
 * and devices first. Does nothing where that waits already.
 */
export function preloadCall(): void {
  preloadWorker()
  pagePainter()
}
