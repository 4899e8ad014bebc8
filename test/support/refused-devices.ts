/** Cameras and microphones that cannot be had, for a reason that a browser gives. */

import type { BrowserContext, Page } from 'playwright-core'

/** Names of errors of `getUserMedia`; absent: the device works. */
export interface Refused {
  readonly audio?: string
  readonly video?: string
}

/** From now on pages of the context are refused what is named, until `allowDevices`. */
export async function refuseDevices(context: BrowserContext, refused: Refused): Promise<void> {
  await context.addInitScript((refused) => {
    const devices = navigator.mediaDevices
    const real = devices.getUserMedia.bind(devices)
    Object.assign(globalThis, { refused })
    devices.getUserMedia = async (wanted = {}) => {
      const { refused } = globalThis as unknown as { refused: Refused }
      const name = (wanted.audio && refused.audio) || (wanted.video && refused.video)
      if (name) throw new DOMException(`refused by the test: ${name}`, name)
      return real(wanted)
    }
  }, refused)
}

export async function allowDevices(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign(globalThis, { refused: {} }))
}
