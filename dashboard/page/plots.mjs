/* global uPlot */
import { byId, element, setText } from './dom.mjs';
import { clock, count, rate, time } from './format.mjs';

/** In seconds: a plot begins with the first and grows to the second. */
const shortest = 60;
const longest = 600;
const height = 168;

/** Lines are told apart by dashes too. */
const definitions = [
  {
    id: 'plot-requests',
    format: (value) => `${rate(value)}/s`,
    axis: rate,
    least: 5,
    lines: [
      { label: 'all', colour: '--line-1', fill: true, of: ({ requests }) => requests },
      { label: '4xx', colour: '--line-3', dash: [2, 3], of: ({ clientErrors }) => clientErrors },
      { label: '5xx', colour: '--line-2', dash: [6, 3], of: ({ errors }) => errors },
    ],
  },
  {
    id: 'plot-times',
    format: time,
    axis: time,
    least: 0.01,
    lines: [
      { label: 'p50', colour: '--line-1', fill: true, of: ({ p50 }) => p50 },
      { label: 'p99', colour: '--line-4', dash: [6, 3], of: ({ p99 }) => p99 },
    ],
  },
  {
    id: 'plot-connections',
    format: count,
    axis: count,
    least: 5,
    lines: [
      { label: 'open', colour: '--line-1', fill: true, of: ({ connections }) => connections },
      { label: 'in progress', colour: '--line-4', dash: [6, 3], of: ({ inProgress }) => inProgress },
    ],
  },
];

/** The last ten minutes, a point a second. */
export class Plots {
  constructor() {
    this.plots = definitions.map((definition) => new Plot(definition));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const plot of this.plots) plot.draw();
    });
  }

  show(moments, happenings) {
    for (const plot of this.plots) plot.show(moments, happenings);
  }
}

class Plot {
  constructor(definition) {
    this.definition = definition;
    this.data = [[], ...definition.lines.map(() => [])];
    this.happenings = [];
    this.range = [0, shortest];
    const figure = byId(definition.id);
    this.place = element('div', { class: 'canvas', role: 'img' });
    this.legend = definition.lines.map(({ dash, label, colour }) => {
      const value = element('b', {}, '–');
      const swatch = element('span', { class: `swatch ${dash ? 'dashed' : ''}`, 'aria-hidden': 'true' });
      swatch.style.borderTopColor = `var(${colour})`;
      return { label, value, item: element('li', {}, swatch, label, ' ', value) };
    });
    figure
      .querySelector('figcaption')
      .append(element('ul', { class: 'legend' }, ...this.legend.map(({ item }) => item)));
    figure.insertBefore(this.place, figure.querySelector('details'));
    this.draw();
    new ResizeObserver(() => {
      if (this.place.clientWidth > 0) this.plot.setSize({ width: this.place.clientWidth, height });
    }).observe(this.place);
  }

  show(moments, happenings) {
    const now = (moments.at(-1)?.time ?? Date.now()) / 1000;
    const first = (moments[0]?.time ?? Date.now()) / 1000;
    this.range = [Math.max(now - longest, Math.min(first, now - shortest)), now];
    this.happenings = happenings;
    this.data = [
      moments.map(({ time: at }) => at / 1000),
      ...this.definition.lines.map(({ of }) => moments.map(({ figures }) => (figures === null ? null : of(figures)))),
    ];
    this.plot.setData(this.data);
    this.showLegend();
  }

  /** Of where the pointer is, or of now. */
  showLegend() {
    const { format } = this.definition;
    const at = this.plot.cursor.idx ?? this.data[0].length - 1;
    for (const [index, { value }] of this.legend.entries()) setText(value, format(this.data[index + 1][at] ?? null));
    const said = this.legend.map(({ label, value }) => `${label} ${value.textContent}`).join(', ');
    this.place.setAttribute('aria-label', `Now: ${said}`);
  }

  /** Anew, as colours are those of the page's scheme. */
  draw() {
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { lines, axis, least } = this.definition;
    const axes = { stroke: colour('--muted'), font: '11px system-ui, sans-serif', ticks: { show: false } };
    const options = {
      width: Math.max(this.place.clientWidth, 240),
      height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'time' }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { range: () => this.range },
        y: { range: (_, low, high) => [0, Math.max(least, (high ?? 0) * 1.15)] },
      },
      axes: [
        {
          ...axes,
          size: 26,
          space: 64,
          grid: { show: false },
          values: (_, times, __, ___, step) => times.map((at) => clock(at * 1000).slice(0, step < 60 ? 8 : 5)),
          incrs: [15, 30, 60, 120, 300],
        },
        {
          ...axes,
          size: 52,
          space: 36,
          grid: { stroke: colour('--grid'), width: 1 },
          values: (_, values) => values.map(axis),
        },
      ],
      series: [
        {},
        ...lines.map(({ label, colour: name, dash, fill }) => ({
          label,
          stroke: colour(name),
          width: 2,
          dash,
          fill: fill ? colour(`${name}-fill`) : undefined,
          points: { show: true, size: 4, fill: colour(name), filter: (plot, index) => alone(plot.data[index]) },
        })),
      ],
      hooks: {
        drawClear: [(plot) => this.drawHappenings(plot, colour)],
        setCursor: [() => this.plot && this.showLegend()],
      },
    };
    this.plot = new uPlot(options, this.data, this.place);
  }

  /** A line each, behind those of the figures. */
  drawHappenings(plot, colour) {
    const { ctx, bbox } = plot;
    const tones = { good: '--good', plain: '--muted', warning: '--warning', bad: '--bad' };
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const { time: at, tone } of this.happenings) {
      if (at / 1000 < this.range[0]) continue;
      const x = Math.round(plot.valToPos(at / 1000, 'x', true));
      ctx.globalAlpha = tone === 'bad' ? 0.9 : 0.5;
      ctx.strokeStyle = colour(tones[tone]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }
}

/** Points between which no line is. */
function alone(values) {
  const found = [];
  values.forEach((value, index) => {
    if (value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null)
      found.push(index);
  });
  return found;
}
