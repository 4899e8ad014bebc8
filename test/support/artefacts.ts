/** Pictures of pages that tests leave behind, for people to look at: git ignores them, CI keeps them. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

/** CSS pixels. */
export const DESKTOP = { width: 1280, height: 800 }
export const PHONE = { width: 390, height: 844 }

const FOLDER = fileURLToPath(new URL('../../test-artifacts', import.meta.url))
/** The page looks four times a second where its tiles belong. */
const LAID_OUT_MS = 350
/** Pictures that a busy machine holds up are grey; they are waited for so long, and then kept as they are. */
const MOVING_MS = 5000

/** Keeps what the page shows as `test-artifacts/<name>.png`; `fullPage`: also what is out of sight. */
export async function keepPicture(
  page: Page,
  name: string,
  { fullPage = false } = {},
): Promise<void> {
  await mkdir(FOLDER, { recursive: true })
  const path = join(FOLDER, `${name.replaceAll('/', ' a ')}.png`)
  await page.screenshot({ path, fullPage, animations: 'disabled' })
}

/**
 * Keeps how the page looks on a desktop in light and on a telephone in dark.
 * @param check of each, e.g. an audit
 */
export async function keepLooks(
  page: Page,
  name: string,
  check: (device: string) => Promise<void> = async () => {},
): Promise<void> {
  for (const [device, size, colorScheme] of [
    ['telephone', PHONE, 'dark'],
    ['desktop', DESKTOP, 'light'],
  ] as const) {
    await page.setViewportSize(size)
    await page.emulateMedia({ colorScheme })
    await page.waitForTimeout(LAID_OUT_MS)
    await page
      .locator('.tile.stalled')
      .first()
      .waitFor({ state: 'detached', timeout: MOVING_MS })
      .catch(() => {})
    await keepPicture(page, `${name}, ${device}`)
    await check(`${name}, ${device}`)
  }
}
