/** The painter: a worker that draws for all calls of a page, so that the page's own thread does not. */

import { Painter } from './painter.ts'
import type { PainterReady, ToPainter } from './protocol.ts'

const painter = new Painter()
addEventListener('message', ({ data }: MessageEvent<ToPainter>) => painter.take(data))
const ready: PainterReady = { able: Painter.isAble }
postMessage(ready)
