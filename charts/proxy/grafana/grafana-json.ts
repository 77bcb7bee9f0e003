/** How Grafana writes a number: requests, others or bytes a second, a part of a whole, seconds, or as it is. */
type Unit = 'reqps' | 'cps' | 'Bps' | 'percentunit' | 's' | 'short';

type Color = 'text' | 'green' | 'blue' | 'yellow' | 'orange' | 'red';

/** From which values on a number has which color; lines over time have a line across at each. */
export interface Thresholds {
  /** Below the first step. */
  readonly base: Color;
  readonly steps: readonly (readonly [value: number, color: Color])[];
}

/** What a panel shows. */
export interface PanelProps {
  /** One number of now for each answer, or lines over time. */
  readonly type: 'stat' | 'timeseries';
  /** In columns, of which there are 24. */
  readonly width: number;
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  /** Expressions of Prometheus, by what their answers are called, with labels in double braces: `{{route}}`. */
  readonly queries: Readonly<Record<string, string>>;
  /** By what answers are called. @default - Grafana chooses */
  readonly colors?: Readonly<Record<string, Color>>;
  /** @default - none */
  readonly thresholds?: Thresholds;
  /** Whether lines lie on one another, and so add up. @default false */
  readonly isStacked?: boolean;
  /** What is shown for a value. @default - the value */
  readonly words?: Readonly<Record<string, string>>;
  /** Where to read on. @default - nowhere */
  readonly link?: { readonly title: string; readonly url: string };
}

/** Panels below a heading. */
export interface Section {
  readonly title: string;
  readonly panels: readonly PanelProps[];
}

/** What is chosen above the panels, among the values of a label. */
export interface LabelVariable {
  readonly name: string;
  readonly label: string;
  /** `label_values(METRIC, LABEL)` */
  readonly query: string;
  /** What is chosen at first. @default - everything, and several may be */
  readonly first?: string;
}

interface DashboardProps {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** In seconds: how often Prometheus asks, by which Grafana chooses `$__rate_interval`. @default - what its data source says */
  readonly interval: number | undefined;
  readonly variables: readonly LabelVariable[];
  readonly sections: readonly Section[];
}

/** Which Prometheus is asked, as Grafana has it. */
interface DataSource {
  readonly type: 'prometheus';
  readonly uid: string;
}

/** A query, as Grafana has it. */
export interface Target {
  readonly refId: string;
  readonly datasource: DataSource;
  readonly editorMode: 'code';
  readonly expr: string;
  readonly legendFormat: string;
  readonly interval?: string;
  readonly instant: boolean;
  readonly range: boolean;
}

/** A panel, as Grafana has it; a row is the heading of those that follow. */
export interface Panel {
  readonly id: number;
  readonly type: 'row' | 'stat' | 'timeseries';
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly description?: string;
  readonly datasource?: DataSource;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: object;
  readonly options?: object;
  readonly links?: readonly { readonly title: string; readonly url: string; readonly targetBlank: boolean }[];
  readonly collapsed?: boolean;
  readonly panels?: readonly Panel[];
}

/** A variable, as Grafana has it. */
export interface Variable {
  readonly name: string;
  readonly type: 'datasource' | 'query';
  readonly query: string | { readonly query: string; readonly refId: string };
  readonly current: { readonly text: string | readonly string[]; readonly value: string | readonly string[] };
  readonly [field: string]: unknown;
}

/** A dashboard, as Grafana takes it from a file. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
  readonly [field: string]: unknown;
}

/** That of Grafana 11.6 and 12.0: older ones take it as it is, newer ones bring it up to theirs whenever they load it. */
const schemaVersion = 41;

/** Chosen in Grafana: no id of one Grafana is in here. */
const dataSource: DataSource = { type: 'prometheus', uid: '${datasource}' };

const columns = 24;
const heights = { stat: 4, timeseries: 8 } as const;

/** @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export function dashboard({ uid, title, description, interval, variables, sections }: DashboardProps): Dashboard {
  return {
    uid,
    title,
    description,
    tags: ['fairlead'],
    schemaVersion,
    editable: true,
    // One cross for all panels.
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    annotations: { list: [] },
    links: [],
    templating: { list: [dataSourceVariable, ...variables.map(labelVariable)] },
    panels: placed(sections, interval),
  };
}

const dataSourceVariable: Variable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  // The default one, if it is a Prometheus.
  current: { text: 'default', value: 'default' },
  hide: 0,
  includeAll: false,
  multi: false,
  options: [],
  refresh: 1,
  regex: '',
};

function labelVariable({ name, label, query, first }: LabelVariable): Variable {
  const isOfAll = first === undefined;
  return {
    name,
    label,
    type: 'query',
    datasource: dataSource,
    definition: query,
    query: { query, refId: 'StandardVariableQuery' },
    current: isOfAll ? { text: ['All'], value: ['$__all'] } : { text: first, value: first },
    hide: 0,
    includeAll: isOfAll,
    multi: isOfAll,
    // Those that do not have the label too.
    ...(isOfAll ? { allValue: '.*' } : {}),
    options: [],
    // Again whenever another time is shown, in which there were others.
    refresh: 2,
    regex: '',
    sort: 1,
  };
}

/** From left to right, and in the next line where there is no room; each section begins with its heading. */
function placed(sections: readonly Section[], interval: number | undefined): Panel[] {
  const panels: Panel[] = [];
  let y = 0;
  for (const section of sections) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: section.title,
      gridPos: { x: 0, y, w: columns, h: 1 },
      collapsed: false,
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of section.panels) {
      if (x + panel.width > columns) {
        y += height;
        x = 0;
        height = 0;
      }
      const gridPos = { x, y, w: panel.width, h: heights[panel.type] };
      panels.push(panelAt(panels.length + 1, gridPos, panel, interval));
      x += panel.width;
      height = Math.max(height, heights[panel.type]);
    }
    y += height;
  }
  return panels;
}

function panelAt(id: number, gridPos: Panel['gridPos'], panel: PanelProps, interval: number | undefined): Panel {
  const { type, title, description, queries, colors = {}, link } = panel;
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: dataSource,
    targets: Object.entries(queries).map(([legend, expression], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: dataSource,
      editorMode: 'code',
      expr: expression,
      legendFormat: legend,
      ...(interval === undefined ? {} : { interval: `${interval}s` }),
      instant: type === 'stat',
      range: type === 'timeseries',
    })),
    fieldConfig: {
      defaults: fieldDefaults(panel),
      overrides: Object.entries(colors).map(([legend, color]) => ({
        matcher: { id: 'byName', options: legend },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
      })),
    },
    options: type === 'stat' ? statOptions : timeSeriesOptions,
    ...(link === undefined ? {} : { links: [{ ...link, targetBlank: true }] }),
  };
}

function fieldDefaults({ type, unit, thresholds, isStacked = false, words = {} }: PanelProps): object {
  const { base, steps }: Thresholds = thresholds ?? { base: 'text', steps: [] };
  const ofLines = {
    min: 0,
    custom: {
      drawStyle: 'line',
      lineWidth: 1,
      fillOpacity: isStacked ? 40 : 5,
      showPoints: 'never',
      spanNulls: false,
      stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
      thresholdsStyle: { mode: thresholds === undefined ? 'off' : 'dashed' },
    },
  };
  return {
    unit,
    color: { mode: type === 'stat' ? 'thresholds' : 'palette-classic' },
    ...(type === 'stat' ? {} : ofLines),
    mappings: Object.entries(words).map(([value, text]) => ({ type: 'value', options: { [value]: { text } } })),
    thresholds: {
      mode: 'absolute',
      steps: [{ color: base, value: null }, ...steps.map(([value, color]) => ({ color, value }))],
    },
  };
}

const statOptions = {
  colorMode: 'value',
  graphMode: 'none',
  justifyMode: 'auto',
  orientation: 'auto',
  reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  textMode: 'auto',
};

const timeSeriesOptions = {
  legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
  tooltip: { mode: 'multi', sort: 'desc' },
};
