/** Real headless Chromium with its fake camera and microphone. */

import { type Browser, chromium } from 'playwright-core'
import { findChromium } from '../../scripts/chromium.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
]

export interface ChromiumOptions {
  /** Whether a page that is left is kept for who comes back, as people's browsers do. Default false. */
  readonly keepsPages?: boolean
}

/** @param flags besides those that every test needs */
export function launchChromium(
  flags: readonly string[] = [],
  { keepsPages = false }: ChromiumOptions = {},
): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [...FLAGS, ...flags],
    ...(keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
  })
}
