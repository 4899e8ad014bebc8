/** What the kernel does for the relay's UDP socket: how much it holds, and what it threw away. */

import { readFileSync } from 'node:fs'
import type { KernelBuffer } from '../engine/index.ts'

/** A sentence for the log where the kernel holds less than was asked for, else null. */
export function kernelBufferWarning(buffer: KernelBuffer | null): string | null {
  if (buffer === null) return null
  const { wanted, receive, send } = buffer
  if (receive >= wanted && send >= wanted) return null
  const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`
  return (
    `the kernel holds ${kib(receive)} received and ${kib(send)} sent of the UDP socket, not ` +
    `${kib(wanted)}: bursts may be lost; raise net.core.rmem_max and net.core.wmem_max ` +
    '(deploy/sysctl/60-sotto.conf)'
  )
}

const TABLES = ['/proc/net/udp', '/proc/net/udp6']

/**
 * Packets that the kernel threw away since the relay did not read them in time. Only Linux tells, by
 * socket.
 * @param port of the relay's UDP socket
 * @param readFile returns a file as text or throws
 * @returns null where the kernel does not tell
 */
export function udpDrops(
  port: number,
  readFile: (path: string) => string = (path) => readFileSync(path, 'latin1'),
): number | null {
  let drops: number | null = null
  for (const table of TABLES) {
    const found = dropsIn(table, port, readFile)
    if (found !== null) drops = (drops ?? 0) + found
  }
  return drops
}

function dropsIn(table: string, port: number, readFile: (path: string) => string): number | null {
  let text: string
  try {
    text = readFile(table)
  } catch {
    return null
  }
  const local = port.toString(16).toUpperCase().padStart(4, '0')
  let drops: number | null = null
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (!fields[1]?.endsWith(`:${local}`)) continue
    const count = Number(fields.at(-1))
    if (Number.isSafeInteger(count)) drops = (drops ?? 0) + count
  }
  return drops
}
