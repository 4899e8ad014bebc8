/**
 * Finds a Chromium for the browser tests: `CHROMIUM_PATH`, then the usual places, then an installed
 * one: `apt-get install -y chromium` as root on Debian, else playwright's own download. Run as a
 * program it prints the path.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** @throws Error that says what to do when there is none and none can be installed */
export function findChromium(): string {
  const named = process.env.CHROMIUM_PATH
  if (named) {
    if (existsSync(named)) return named
    throw new Error(`CHROMIUM_PATH names ${named}, which does not exist`)
  }
  return usual() ?? install()
}

function usual(): string | null {
  return USUAL_PATHS.find((path) => existsSync(path)) ?? playwrightOwn()
}

function playwrightOwn(): string | null {
  try {
    const path = chromium.executablePath()
    return existsSync(path) ? path : null
  } catch {
    return null
  }
}

function install(): string {
  const debianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0
  if (debianRoot) {
    run('apt-get', ['update'])
    run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'])
  } else {
    run('npx', ['playwright-core', 'install', 'chromium'])
  }
  const found = usual()
  if (found) return found
  throw new Error('no Chromium: install one, or set CHROMIUM_PATH to where it is')
}

function run(command: string, args: string[]): void {
  process.stderr.write(`installing Chromium: ${command} ${args.join(' ')}\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
}

if (import.meta.main) process.stdout.write(`${findChromium()}\n`)
