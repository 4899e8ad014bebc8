import { describe, expect, it } from 'vitest'
import { kernelBufferWarning, udpDrops } from './udp-socket.ts'

const head =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n'
const line = (port: string, drops: string) =>
  `  398: 0100007F:${port} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1104916 2 0000000032200c53 ${drops}\n`

function files(tables: Record<string, string>) {
  return (path: string) => {
    const text = tables[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  }
}

describe('udpDrops', () => {
  it('reads what the kernel dropped of the socket at this port, in both tables', () => {
    const v4 = head + line('1151', '7') + line('11510', '100') + line('1152', '9')
    const v6 = head + line('1151', '3')
    expect(udpDrops(0x1151, files({ '/proc/net/udp': v4, '/proc/net/udp6': v6 }))).toBe(10)
    expect(udpDrops(0x1151, files({ '/proc/net/udp': v4 }))).toBe(7)
  })

  it('knows nothing where there is no such table, socket or number', () => {
    expect(udpDrops(80, files({}))).toBeNull()
    expect(udpDrops(80, files({ '/proc/net/udp': head + line('1151', '7') }))).toBeNull()
    expect(
      udpDrops(0x1151, files({ '/proc/net/udp': `${head}${line('1151', 'many')}\n1` })),
    ).toBeNull()
  })
})

describe('kernelBufferWarning', () => {
  it('says what the kernel gives where that is less than was asked for, and what to do', () => {
    const buffer = { wanted: 4_194_304, receive: 212_992, send: 4_194_304 }
    expect(kernelBufferWarning(buffer)).toContain('holds 208 KiB received and 4096 KiB sent')
    expect(kernelBufferWarning(buffer)).toContain('net.core.rmem_max')
    expect(kernelBufferWarning({ ...buffer, receive: 4_194_304, send: 1024 })).toContain(
      '1 KiB sent',
    )
  })

  it('says nothing where all was given, or nothing is known', () => {
    const buffer = { wanted: 4_194_304, receive: 4_194_304, send: 8_000_000 }
    expect(kernelBufferWarning(buffer)).toBeNull()
    expect(kernelBufferWarning(null)).toBeNull()
  })
})
