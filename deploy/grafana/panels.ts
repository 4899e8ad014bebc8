/** The few parts of Grafana's dashboard JSON (schema 39) that our dashboards are made of. */

/** What all queries of a dashboard are narrowed to by its variables. */
const SELECTED = 'job="$job",instance=~"$instance"'

export interface Query {
  readonly expr: string
  readonly legend: string
}

export interface PanelSpec {
  readonly title: string
  /** For who looks at it: what it shows and when to worry. */
  readonly description: string
  /** Grafana's name of the unit, such as `s`, `bytes`, `ops`. */
  readonly unit: string
  readonly kind?: 'timeseries' | 'stat' | 'table'
  readonly queries: readonly Query[]
}

export interface TextSpec {
  readonly title: string
  readonly markdown: string
}

export interface RowSpec {
  readonly title: string
  readonly panels: readonly (PanelSpec | TextSpec)[]
}

export interface DashboardSpec {
  readonly uid: string
  readonly title: string
  readonly description: string
  /** Text boxes above the panels, beside those for job and instance. */
  readonly inputs?: readonly {
    readonly name: string
    readonly label: string
    readonly value: string
  }[]
  readonly rows: readonly RowSpec[]
}

/** A dashboard's variable inside a text. @param format of Grafana's, such as `percentencode` */
export function variable(name: string, format = ''): string {
  return `\${${name}${format === '' ? '' : `:${format}`}}`
}

/** A selector of a metric: `sotto_rooms`, or with labels of its own before ours. */
export function of(metric: string, labels = ''): string {
  return `${metric}{${labels === '' ? '' : `${labels},`}${SELECTED}}`
}

/** How much of a counter a second. */
export function rate(metric: string, labels = ''): string {
  return `rate(${of(metric, labels)}[$__rate_interval])`
}

/** A sum of rates by one label, with that label as the legend. */
export function rateBy(label: string, metric: string, labels = ''): Query {
  return { expr: `sum by (${label}) (${rate(metric, labels)})`, legend: `{{${label}}}` }
}

/** Quantiles of a histogram. @param by labels to keep apart */
export function quantile(value: number, metric: string, by: readonly string[] = []): Query {
  const buckets = `sum by (${['le', ...by].join(', ')}) (${rate(`${metric}_bucket`)})`
  const legend = [`p${value * 100}`, ...by.map((label) => `{{${label}}}`)].join(' ')
  return { expr: `histogram_quantile(${value}, ${buckets})`, legend }
}

const WIDTH = 24
const PER_ROW = 3
const HEIGHT = 8
const DATASOURCE = { type: 'prometheus', uid: variable('datasource') }

/** The JSON that Grafana loads. */
export function dashboard(spec: DashboardSpec) {
  let y = 0
  let id = 0
  const panels = spec.rows.flatMap(({ title, panels: inRow }) => {
    const row = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
    }
    y++
    const width = WIDTH / PER_ROW
    const placed = inRow.map((panel, at) => {
      const x = (at % PER_ROW) * width
      const gridPos = { x, y: y + Math.floor(at / PER_ROW) * HEIGHT, w: width, h: HEIGHT }
      return { id: ++id, gridPos, ...('markdown' in panel ? textPanel(panel) : queryPanel(panel)) }
    })
    y += Math.ceil(inRow.length / PER_ROW) * HEIGHT
    return [row, ...placed]
  })
  return {
    uid: spec.uid,
    title: spec.title,
    description: spec.description,
    tags: ['sotto'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Sotto',
        tags: ['sotto'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: { list: variables(spec) },
    annotations: { list: [] },
    panels,
  }
}

function variables({ inputs = [] }: DashboardSpec) {
  const query = (name: string, label: string, expr: string, more: object) => ({
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: expr,
    query: { query: expr, refId: name },
    refresh: 2,
    sort: 1,
    ...more,
  })
  return [
    { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', hide: 0 },
    query('job', 'Job', 'label_values(sotto_build_info, job)', {}),
    query('instance', 'Relay', 'label_values(sotto_build_info{job="$job"}, instance)', {
      multi: true,
      includeAll: true,
      allValue: '.+',
      current: { text: 'All', value: '$__all' },
    }),
    ...inputs.map(({ name, label, value }) => ({
      name,
      label,
      type: 'textbox',
      query: value,
      current: { text: value, value },
    })),
  ]
}

function queryPanel({ title, description, unit, kind = 'timeseries', queries }: PanelSpec) {
  const isTable = kind === 'table'
  return {
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit, custom: kind === 'timeseries' ? { fillOpacity: 10 } : {} },
      overrides: [],
    },
    options:
      kind === 'timeseries'
        ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } }
        : {},
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      ...(isTable && { instant: true, format: 'table' }),
    })),
  }
}

function textPanel({ title, markdown }: TextSpec) {
  return { type: 'text', title, options: { mode: 'markdown', content: markdown } }
}
