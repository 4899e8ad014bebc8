import { type ExpectedCall, preloadWorker } from './call-worker.ts'
import { pagePainter } from './page-painter.ts'

/**
 * Makes ready what the next `joinCall` needs: for a page that asks for a name and devices first. Loads and
 * starts the workers, compiles what a join takes, and, where the relay's address is given, opens a connection
 * to it that is given up after six seconds: call it again when a person is about to join, e.g. has the
 * pointer on the button. What is ready already stays.
 */
export function preloadCall(expected: ExpectedCall = {}): void {
  preloadWorker(expected)
  pagePainter()
}
