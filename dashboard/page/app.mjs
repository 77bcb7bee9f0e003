import { Controls } from './controls.mjs';
import { byId, element, Keyed, setAttributes, setText } from './dom.mjs';
import { Failures } from './failures.mjs';
import { clock, count, none, percent, rate, time } from './format.mjs';
import { Plots } from './plots.mjs';
import { Tables } from './tables.mjs';
import { Topology } from './topology.mjs';

/** In milliseconds: what plots show, and after how long without news the page says so. */
const remembered = 600_000;
const silence = 3500;
const shownHappenings = 60;

const connections = {
  connecting: 'Connecting',
  live: 'Live',
  silent: 'Waiting for news',
  lost: 'Disconnected: trying again',
  ended: 'fairlead has ended: npm start brings this page back',
};

/** What the server has told. */
const known = { description: null, state: null, figures: null, moments: [], happenings: [] };
let silenceTimer;

/** The proxy that is shown, which the address of the page names; empty for all of them together. */
let chosen = new URLSearchParams(location.search).get('proxy') ?? '';
let source;

const controls = new Controls();
const choices = new Keyed(byId('proxy'), {
  key: ({ name }) => name,
  make: ({ name }) => element('option', { value: name }),
  update: (option, { text }) => setText(option, text),
});
const plots = new Plots();
const tables = new Tables((action) => controls.act(action));
const failures = new Failures();
const topology = new Topology(byId('picture'));

/** A figure, with a bar if it is a part of the budget. */
function makeTile(id, label, hasBar = false) {
  const value = element('dd', { class: 'value', id: `tile-${id}` }, none);
  const note = element('dd', { class: 'note' }, '\u00a0');
  const fill = element('span');
  const bar = hasBar ? [element('dd', { class: 'bar', 'aria-hidden': 'true' }, fill)] : [];
  const tile = element('div', { class: 'tile' }, element('dt', {}, label), value, note, ...bar);
  byId('tiles').append(tile);
  return { tile, value, note, fill };
}

const tiles = {
  requests: makeTile('requests', 'Requests'),
  errors: makeTile('errors', 'Errors'),
  p50: makeTile('p50', 'Half answered within'),
  p99: makeTile('p99', '99 % answered within'),
  connections: makeTile('connections', 'Connections', true),
  progress: makeTile('progress', 'In progress', true),
};

const happened = new Keyed(byId('happened'), {
  key: ({ id }) => id,
  make: ({ time: at, tone, text }) =>
    element(
      'li',
      { class: `is-${tone}` },
      element('time', { datetime: new Date(at).toISOString() }, clock(at)),
      element('span', {}, text),
    ),
  update: () => undefined,
});
let nextHappening = 0;

function connected(to) {
  if (document.body.dataset.connection === to) return;
  document.body.dataset.connection = to;
  setText(byId('connection').lastElementChild, connections[to]);
}

function heard() {
  connected('live');
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => connected('silent'), silence);
}

/** Shows another proxy, or all of them, with all that is remembered of it. */
function choose(proxy) {
  chosen = proxy;
  const address = new URL(location.href);
  address.search = proxy === '' ? '' : String(new URLSearchParams({ proxy }));
  history.replaceState(null, '', address);
  source.close();
  connect();
}

function showChoice({ proxies }) {
  const names = proxies.map((name) => ({ name, text: name }));
  choices.show([{ name: '', text: `all ${proxies.length} together` }, ...names]);
  // A list that somebody has opened stays as it is.
  if (byId('proxy').value !== chosen) byId('proxy').value = chosen;
  byId('choice').hidden = proxies.length < 2 && chosen === '';
}

function connect() {
  const opened = new EventSource(chosen === '' ? '/events' : `/events?${new URLSearchParams({ proxy: chosen })}`);
  source = opened;
  source.addEventListener('beginning', ({ data }) => {
    const { description, canAct, moments, happenings, latest } = JSON.parse(data);
    document.body.dataset.canAct = String(canAct);
    if (!canAct) connections.ended = 'The dashboard has ended: another kubectl port-forward leads to its next pod';
    Object.assign(known, { description, moments, happenings: happenings.map(numbered), state: null, figures: null });
    controls.describe(description);
    tables.describe(description);
    failures.describe(description);
    topology.describe(description);
    describe(description, canAct);
    if (latest !== null) Object.assign(known, { state: latest.state, figures: latest.figures });
    heard();
    show();
  });
  source.addEventListener('update', ({ data }) => {
    const { moment, state, figures, happenings, problem } = JSON.parse(data);
    if (chosen !== '' && !state.proxies.includes(chosen)) {
      controls.say(`Proxy ${chosen} is gone: this is all of them together`);
      choose('');
      return;
    }
    known.moments.push(moment);
    while (known.moments[0].time < moment.time - remembered) known.moments.shift();
    known.happenings = [...known.happenings, ...happenings.map(numbered)].slice(-shownHappenings);
    Object.assign(known, { state, figures });
    setText(byId('problem'), problem ?? '');
    byId('problem').hidden = problem === null;
    heard();
    if (!document.hidden) show();
  });
  source.addEventListener('ended', () => {
    clearTimeout(silenceTimer);
    connected('ended');
  });
  source.addEventListener('error', () => {
    clearTimeout(silenceTimer);
    if (document.body.dataset.connection !== 'ended') connected('lost');
    // It tries again by itself, but for an answer that it does not understand.
    if (opened.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (source === opened) connect();
    }, 2000);
  });
}

function numbered(happening) {
  nextHappening += 1;
  return { ...happening, id: nextHappening };
}

function describe({ version, nginx, url, command, metricsUrl }, canAct) {
  byId('subtitle').replaceChildren(
    element('a', { href: url, rel: 'noreferrer', target: '_blank' }, url.replace('https://', '')),
  );
  byId('about').replaceChildren(
    `${version === undefined ? 'fairlead' : `fairlead ${version}`}, ${nginx}`,
    ...(metricsUrl === undefined
      ? []
      : [' · ', element('a', { href: metricsUrl, rel: 'noreferrer', target: '_blank' }, 'metrics')]),
  );
  byId('idle').replaceChildren(
    canAct ? 'No requests now. Press “Send load”, or type ' : 'No requests now. This sends one: ',
    element('code', {}, command),
  );
  document.title = `${url.replace(/^https:\/\/|:\d+$/g, '')} · fairlead`;
}

function show() {
  const { description, state, figures, moments, happenings } = known;
  if (description === null || state === null) return;
  showTiles(figures, moments.at(-1)?.figures ?? null);
  controls.show(state);
  showChoice(state);
  topology.show(state, figures, chosen);
  tables.show(state, figures);
  failures.show(figures?.failures ?? []);
  plots.show(moments, happenings);
  happened.show([...happenings].reverse());
  byId('nothing').hidden = happenings.length > 0;
  byId('log').hidden = happenings.length === 0;
  byId('idle').hidden = figures === null || figures.proxy.requests > 0;
}

function showTiles(figures, now) {
  const proxy = figures?.proxy ?? null;
  const tile = (id, value, note, tone = '') => {
    setText(tiles[id].value, value);
    setText(tiles[id].note, note);
    setAttributes(tiles[id].tile, { 'data-tone': tone });
  };
  const counted = proxy?.counted ?? null;
  tile('requests', now === null ? none : `${rate(now.requests)}/s`, `${count(counted?.requests)} counted`);
  const failing = proxy !== null && proxy.requests > 0 ? proxy.errors / proxy.requests : 0;
  tile(
    'errors',
    proxy === null ? none : percent(failing),
    `${count(counted?.errors)} with 5xx, ${count(counted?.clientErrors)} with 4xx`,
    failing > 0 ? 'bad' : '',
  );
  tile('p50', time(proxy?.p50), 'of the last ten seconds');
  tile('p99', time(proxy?.p99), 'of the last ten seconds');
  showFill('connections', proxy?.connections, proxy?.connectionsLimit);
  showFill('progress', proxy?.inProgress, proxy?.requestsLimit);
}

function showFill(id, value, limit) {
  const part = value === undefined || !limit ? null : value / limit;
  setText(tiles[id].value, count(value));
  setText(tiles[id].note, part === null ? '\u00a0' : `budget ${count(limit)} · ${percent(part)}`);
  setAttributes(tiles[id].tile, { 'data-tone': part > 0.9 ? 'bad' : part > 0.7 ? 'warning' : '' });
  tiles[id].fill.style.width = `${Math.min(100, 100 * (part ?? 0))}%`;
}

byId('proxy').addEventListener('change', ({ target }) => choose(target.value));
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) show();
});
connect();
