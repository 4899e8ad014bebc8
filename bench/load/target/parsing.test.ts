import { describe, expect, it } from 'vitest'
import { byLabel, parseMetrics, sumWith } from './metrics.ts'
import { parseProcess, sampleProcess } from './processes.ts'
import { parseUdpPackets } from './udp-packets.ts'

describe('what a relay is measured by', () => {
  it('is read from the metrics of Prometheus', () => {
    const metrics = parseMetrics(
      '# HELP sotto_objects_dropped_total Objects not forwarded.\n' +
        'sotto_objects_dropped_total{reason="deadline"} 3\n' +
        'sotto_objects_dropped_total{reason="overflow"} 1e3\n' +
        'sotto_buffered_bytes 12\n',
    )
    expect(metrics.get('sotto_buffered_bytes')).toBe(12)
    expect(byLabel(metrics, 'sotto_objects_dropped_total')).toEqual({ deadline: 3, overflow: 1000 })
    expect(byLabel(metrics, 'sotto_objects')).toEqual({})
    const classes = parseMetrics(
      'sotto_objects_total{direction="received",class="audio"} 9\n' +
        'sotto_objects_total{direction="sent",class="audio"} 3\n' +
        'sotto_objects_total{direction="sent",class="base"} 4\n',
    )
    expect(sumWith(classes, 'sotto_objects_total', 'direction="sent"')).toBe(7)
    expect(sumWith(metrics, 'sotto_objects_total', 'direction="sent"')).toBeNull()
  })

  it('is read from Linux, whatever the process is called', () => {
    const stat = '7 (a) b (c) S 1 7 7 0 -1 4194304 9 0 0 0 150 25 0 0 20 0 11 0 99 1 2'
    expect(parseProcess(stat, 'Name:\tx\nVmRSS:\t  2048 kB\n')).toEqual({
      cpuSeconds: 1.75,
      rssBytes: 2_097_152,
    })
  })

  it('is unknown of a process that is gone', async () => {
    expect(await sampleProcess(2 ** 22 + 1)).toBeNull()
    expect((await sampleProcess(process.pid))?.rssBytes).toBeGreaterThan(1e6)
  })

  it('counts UDP packets by the name of their column', () => {
    const snmp = 'Tcp: A B\nTcp: 1 2\nUdp: InDatagrams NoPorts OutDatagrams\nUdp: 5 0 9\n'
    expect(parseUdpPackets(snmp)).toBe(9)
    expect(parseUdpPackets('Tcp: A\nTcp: 1\n')).toBeNull()
  })
})
