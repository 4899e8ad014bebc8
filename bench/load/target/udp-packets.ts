import { readFile } from 'node:fs/promises'

/** @param snmp contents of /proc/net/snmp; @returns UDP packets sent since the machine began */
export function parseUdpPackets(snmp: string): number | null {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Udp: '))
    .map((line) => line.split(' '))
  const at = names?.indexOf('OutDatagrams') ?? -1
  const value = at < 0 ? undefined : values?.[at]
  return value === undefined ? null : Number(value)
}

/** UDP packets that all processes of this machine sent; null where it does not tell. */
export async function sampleUdpPackets(): Promise<number | null> {
  try {
    return parseUdpPackets(await readFile('/proc/net/snmp', 'utf8'))
  } catch {
    return null
  }
}
