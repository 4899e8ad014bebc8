import { describe, expect, it } from 'vitest'
import { alertRules, metricNames, metricsIn, read } from './test-support.ts'

const rules = alertRules()
const sections = [...read('RUNBOOK.md').matchAll(/^## (\w+)$/gm)].map(([, name]) => name!)

describe('the alert rules', () => {
  it('are of every kind that an operator needs', () => {
    const names = rules.map(({ alert }) => alert)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(
      expect.arrayContaining([
        'SottoDown',
        'SottoNotReady',
        'SottoEventLoopLate',
        'SottoAudioDropped',
        'SottoSessionsRefused',
        'SottoCertificateExpires',
        'SottoUdpReceiveDrops',
        'SottoMlsConflicts',
        'SottoCacheFull',
        'SottoMemoryHigh',
      ]),
    )
  })

  it.each(rules)('$alert has a severity, a summary and a section in the runbook', (rule) => {
    expect(rule.severity).toMatch(/^(critical|warning|info)$/)
    expect(rule.summary).toContain('$labels.instance')
    expect(rule.runbook).toBe(`deploy/RUNBOOK.md#${rule.alert.toLowerCase()}`)
    expect(sections).toContain(rule.alert)
  })

  it('ask for metrics that a relay has', async () => {
    const known = await metricNames()
    const asked = rules.flatMap(({ expr }) => metricsIn(expr))
    expect(asked.length).toBeGreaterThan(rules.length)
    expect(asked.filter((name) => !known.has(name))).toEqual([])
  })

  it('are all that the runbook tells of', () => {
    expect(sections.sort()).toEqual(rules.map(({ alert }) => alert).sort())
  })
})

describe('the runbook and the README', () => {
  it('name metrics that a relay has', async () => {
    const known = await metricNames()
    const readme = read('README.md')
    const table = readme.slice(readme.indexOf('| Question |'), readme.indexOf('`class` is what'))
    const named = [...table.matchAll(/`([a-z]+_[a-z_]+|sessions|rooms|tracks|subscriptions)`/g)]
    const names = [...named.map(([, name]) => `sotto_${name}`), ...metricsIn(read('RUNBOOK.md'))]
    expect(names.length).toBeGreaterThan(25)
    expect(names.filter((name) => !known.has(name))).toEqual([])
  })
})
