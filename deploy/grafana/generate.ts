#!/usr/bin/env node
/** Writes the dashboards as Grafana loads them: `node deploy/grafana/generate.ts`. */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { e2ee } from './e2ee.ts'
import { media } from './media.ts'
import { overview } from './overview.ts'
import { dashboard } from './panels.ts'
import { room } from './room.ts'

export const DASHBOARDS = [overview, media, e2ee, room]

export function fileOf(uid: string): string {
  return fileURLToPath(new URL(`dashboards/${uid}.json`, import.meta.url))
}

/** The text of a dashboard's file. */
export function textOf(spec: (typeof DASHBOARDS)[number]): string {
  return `${JSON.stringify(dashboard(spec), null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const spec of DASHBOARDS) writeFileSync(fileOf(spec.uid), textOf(spec))
}
