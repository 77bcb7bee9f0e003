import { Keyed, markPath, setAttributes, setText, shape } from './dom.mjs';
import { rate } from './format.mjs';

/** More instances than these are drawn as a field of marks, without a line to each. */
const mostLines = 16;
const [lowestRow, highestRow] = [32, 42];
const groupGap = 18;
const boxHeight = 48;
const widest = 22;

/** Clients, the proxies or one of them, their backends and their instances; lines are as wide as there is traffic. */
export class Topology {
  constructor(place) {
    this.place = place;
    this.description = null;
    this.shown = null;
    const links = shape('g', { class: 'links' });
    const flows = shape('g', { class: 'flows' });
    const boxes = shape('g', { class: 'boxes' });
    this.svg = shape('svg', { role: 'img', 'aria-label': 'Waiting for figures' }, links, flows, boxes);
    place.append(this.svg);
    this.links = new Keyed(links, { key: ({ id }) => id, make: makeLink, update: updateLink });
    this.flows = new Keyed(flows, { key: ({ id }) => id, make: makeFlow, update: updateFlow });
    this.boxes = new Keyed(boxes, { key: ({ kind, id }) => `${kind} ${id}`, make: makeBox, update: updateBox });
    this.width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === this.width) return;
      this.width = place.clientWidth;
      if (this.shown !== null) this.show(...this.shown);
    }).observe(place);
  }

  describe(description) {
    this.description = description;
  }

  /** Of one proxy if it has a name. */
  show(state, figures, proxy) {
    this.shown = [state, figures, proxy];
    const drawing = drawn(this.description.backends, state, figures, proxy, this.width);
    setAttributes(this.svg, {
      viewBox: `0 0 ${this.width} ${drawing.height}`,
      width: this.width,
      height: drawing.height,
      'aria-label': said(this.description.backends, state.instances, figures, proxy),
    });
    this.links.show(drawing.links);
    this.flows.show(drawing.links.filter(({ traffic }) => traffic > 0));
    this.boxes.show(drawing.boxes);
  }
}

/** Where everything is, and how wide. */
function drawn(backends, { instances, proxies }, figures, proxy, width) {
  const isNarrow = width < 560;
  const isField = instances.length > mostLines;
  const wide = [100, 132, 168, 204];
  const columns = isNarrow ? (isField ? [50, 50, 60, 108] : [50, 50, 80, 74]) : wide;
  const cell = isNarrow ? 13.5 : 18;
  const row = Math.min(highestRow, Math.max(lowestRow, 272 / instances.length));
  const gap = (width - columns.reduce((sum, each) => sum + each, 0)) / 3;
  const lefts = columns.map((_, index) => columns.slice(0, index).reduce((sum, each) => sum + each + gap, 0));
  const inRow = Math.max(1, Math.floor(columns[3] / cell));
  const groups = backends.map(({ name }) => {
    const own = instances.filter(({ backend }) => backend === name);
    const rows = isField ? Math.ceil(own.length / inRow) * cell : own.length * row;
    return { name, own, height: Math.max(boxHeight, rows), rows };
  });
  const needed = groups.reduce((sum, { height }) => sum + height, 0) + groupGap * (groups.length - 1);
  const height = Math.max(isNarrow ? 160 : 220, needed) + 8;
  const middle = height / 2;
  const total = figures?.proxy.requests ?? 0;
  // As wide as there is traffic in all, and each line as wide as its part of it.
  const whole = total === 0 ? 0 : Math.min(widest, 5 + 5 * Math.log10(1 + total));
  const widthOf = (traffic) => (traffic > 0 && total > 0 ? Math.max(1.5, whole * Math.min(1, traffic / total)) : 1);
  const ofBackend = new Map(figures?.backends.map((each) => [each.name, each]));
  const ofInstance = new Map(figures?.instances.map((each) => [each.name, each]));
  const boxes = [];
  const links = [];
  const link = (id, from, to, traffic, health) =>
    links.push({ id, path: curve(from, to), width: widthOf(traffic), traffic, health });
  const box = (id, column, y, lines, extra = {}) =>
    boxes.push({
      id,
      kind: 'box',
      x: lefts[column],
      y: y - boxHeight / 2,
      width: columns[column],
      height: boxHeight,
      lines: lines.map((line) => fitted(line, columns[column] - (isNarrow ? 8 : 20), isNarrow)),
      isNarrow,
      ...extra,
    });
  const right = (column) => lefts[column] + columns[column];

  box('clients', 0, middle, ['clients', `${rate(total)}/s`]);
  box('proxy', 1, middle, [
    proxy !== '' ? (isNarrow ? shortened(proxy) : proxy) : proxies.length > 1 ? `nginx × ${proxies.length}` : 'nginx',
    figures === null ? '' : isNarrow ? `${figures.proxy.connections} open` : `${figures.proxy.connections} connections`,
  ]);
  link('clients', [right(0), middle], [lefts[1], middle], total, 'ready');
  let top = (height - needed) / 2;
  for (const { name, own, height: groupHeight, rows } of groups) {
    const y = top + groupHeight / 2;
    const traffic = ofBackend.get(name)?.requests ?? 0;
    const ready = own.filter(({ health }) => health === 'ready' || health === 'slow').length;
    const health = ready === 0 ? 'failed' : 'ready';
    box(`backend ${name}`, 2, y, [name, isNarrow ? `${rate(traffic)}/s` : `${rate(traffic)}/s · ${ready} ready`], {
      health,
    });
    link(`backend ${name}`, [right(1), middle], [lefts[2], y], traffic, health);
    const firstY = y - rows / 2;
    if (isField && own.length > 0) link(`field ${name}`, [right(2), y], [lefts[3] - 4, y], traffic, health);
    for (const [index, instance] of own.entries()) {
      const figure = ofInstance.get(instance.name);
      const requests = figure?.requests ?? 0;
      if (isField) {
        boxes.push({
          id: instance.name,
          kind: 'cell',
          x: lefts[3] + (index % inRow) * cell,
          y: firstY + Math.floor(index / inRow) * cell + 2,
          health: instance.health,
          isIdle: requests === 0,
          scale: (cell - 4) / 12,
          title: `${instance.name}: ${instance.health}, ${rate(requests)}/s`,
        });
        continue;
      }
      const rowY = firstY + index * row + row / 2;
      boxes.push({
        id: instance.name,
        kind: 'instance',
        x: lefts[3],
        y: rowY - 13,
        width: columns[3],
        height: 26,
        health: instance.health,
        lines: [isNarrow ? shortened(instance.name) : fitted(instance.name, 128, false), `${rate(requests)}/s`],
        isNarrow,
      });
      link(instance.name, [right(2), y], [lefts[3], rowY], requests, instance.health);
    }
    top += groupHeight + groupGap;
  }
  return { boxes, links, height };
}

function curve([fromX, fromY], [toX, toY]) {
  const bend = (toX - fromX) / 2;
  return `M${fromX} ${fromY}C${fromX + bend} ${fromY} ${toX - bend} ${toY} ${toX} ${toY}`;
}

/** The number of an instance, or the end of its address. */
function shortened(name) {
  const [end] = /[^-.:]*$/.exec(name);
  return name.includes('-') ? `#${end}` : `…${end}`;
}

/** As much of a name as there is room for. */
function fitted(text, room, isNarrow) {
  const most = Math.max(3, Math.floor(room / (isNarrow ? 6 : 6.8)));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function said(backends, instances, figures, proxy) {
  const parts = backends.map(({ name }) => {
    const own = instances.filter(({ backend, health }) => backend === name && health !== 'gone');
    const ready = own.filter(({ health }) => health === 'ready' || health === 'slow').length;
    const traffic = figures?.backends.find((each) => each.name === name)?.requests ?? 0;
    return `${name}: ${rate(traffic)} a second, ${ready} of ${own.length} instances ready`;
  });
  return `${rate(figures?.proxy.requests ?? 0)} requests a second come from clients to nginx${proxy === '' ? '' : ` at ${proxy}`}. ${parts.join('. ')}`;
}

function makeLink() {
  return shape('path', { fill: 'none' });
}

function updateLink(path, { path: d, width, traffic, health }) {
  setAttributes(path, {
    d,
    'stroke-width': width.toFixed(1),
    class: `link is-${health} ${traffic > 0 ? '' : 'is-idle'}`,
  });
}

function makeFlow() {
  return shape('path', { fill: 'none', class: 'flow' });
}

function updateFlow(path, { path: d, width }) {
  setAttributes(path, { d, 'stroke-width': Math.max(1, Math.min(3, width / 3)).toFixed(1) });
}

function makeBox({ kind }) {
  if (kind === 'cell') return shape('g', {}, shape('path', { 'fill-rule': 'evenodd' }), shape('title'));
  return kind === 'instance'
    ? shape(
        'g',
        {},
        shape('rect', { rx: 7 }),
        shape('path', { 'fill-rule': 'evenodd' }),
        shape('text'),
        shape('text', { 'text-anchor': 'end' }),
      )
    : shape(
        'g',
        {},
        shape('rect', { rx: 9 }),
        shape('text', { 'text-anchor': 'middle' }),
        shape('text', { 'text-anchor': 'middle' }),
      );
}

function updateBox(group, box) {
  setAttributes(group, {
    transform: `translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})`,
    class: `${box.kind} is-${box.health ?? 'ready'} ${box.isIdle ? 'is-idle' : ''} ${box.isNarrow ? 'is-narrow' : ''}`,
  });
  if (box.kind === 'cell') {
    setAttributes(group.children[0], { d: markPath(box.health), transform: `scale(${box.scale})` });
    setText(group.children[1], box.title);
    return;
  }
  setAttributes(group.children[0], { width: box.width, height: box.height });
  if (box.kind === 'instance') {
    const inset = box.isNarrow ? 6 : 10;
    setAttributes(group.children[1], { d: markPath(box.health), transform: `translate(${inset} 7)` });
    setAttributes(group.children[2], { x: inset + 18, y: 17, class: 'name' });
    setAttributes(group.children[3], { x: box.width - inset, y: 17, class: 'figure' });
    setText(group.children[2], box.lines[0]);
    setText(group.children[3], box.lines[1]);
    return;
  }
  for (const [index, line] of box.lines.entries()) {
    setAttributes(group.children[index + 1], {
      x: box.width / 2,
      y: index === 0 ? 20 : 37,
      class: index === 0 ? 'name' : 'figure',
    });
    setText(group.children[index + 1], line);
  }
}
