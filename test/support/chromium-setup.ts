/** Before the browser tests: a Chromium is there, or is installed now, which no test has time for. */

import { findChromium } from '../../scripts/chromium.ts'

export default function setup(): void {
  findChromium()
}
