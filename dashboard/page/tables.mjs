import { byId, element, healths, Keyed, mark, setAttributes, setText } from './dom.mjs';
import { age, average, count, day, none, percent, rate, time } from './format.mjs';

const healthNames = {
  ready: 'ready',
  slow: 'made slow',
  starting: 'starting',
  ending: 'ending',
  failed: 'failed',
  gone: 'gone',
};

const numeric = { class: 'number' };

/** Rows with a cell a column. A column is its title, attributes of its cells, and what it says of an item: text, or what updates the cell. */
class Table {
  constructor(place, { caption, columns, key, empty }) {
    this.whenEmpty = empty;
    const heads = columns.map(({ title, attributes = {}, hint }) =>
      element('th', { scope: 'col', role: 'columnheader', title: hint, ...attributes }, title),
    );
    const body = element('tbody', { role: 'rowgroup' });
    this.table = element(
      'table',
      { role: 'table' },
      element('caption', { class: 'hidden' }, caption),
      element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads)),
      body,
    );
    this.table.hidden = true;
    this.empty = element('p', { class: 'empty' }, 'Waiting for figures');
    place.replaceChildren(this.table, this.empty);
    this.rows = new Keyed(body, {
      key,
      make: () =>
        element(
          'tr',
          { role: 'row' },
          ...columns.map(({ title, attributes = {}, isHead }) =>
            element(isHead ? 'th' : 'td', {
              role: isHead ? 'rowheader' : 'cell',
              ...(isHead ? { scope: 'row' } : {}),
              'data-title': title,
              ...attributes,
            }),
          ),
        ),
      update: (row, item) => {
        for (const [index, { say, update }] of columns.entries()) {
          if (say === undefined) update(row.children[index], item);
          else setText(row.children[index], say(item));
        }
      },
    });
  }

  show(items) {
    this.table.hidden = items.length === 0;
    this.empty.hidden = items.length > 0;
    setText(this.empty, this.whenEmpty);
    this.rows.show(items);
  }
}

/** Everything that stands in rows. */
export class Tables {
  constructor(act) {
    this.act = act;
    byId('legend').replaceChildren(...healths.map((health) => element('li', {}, mark(health), healthNames[health])));
    this.instances = new Table(byId('instances'), {
      caption: 'Instances',
      empty: 'No instance is there.',
      key: ({ name }) => name,
      columns: [
        { title: 'Instance', isHead: true, say: ({ name }) => name },
        { title: 'Version', say: ({ version }) => version },
        { title: 'State', update: showHealth },
        { title: 'Since', attributes: numeric, say: ({ since }) => age(Date.now() - since) },
        { title: 'Requests/s', attributes: numeric, say: ({ figures }) => rate(figures?.requests) },
        { title: 'Share', attributes: { class: 'number share' }, update: showShare },
        {
          title: 'In flight',
          attributes: numeric,
          hint: 'tries in progress, on average over the last ten seconds',
          say: ({ figures }) => average(figures?.inFlight),
        },
        { title: 'p50', attributes: numeric, say: ({ figures }) => time(figures?.p50) },
        { title: 'p99', attributes: numeric, say: ({ figures }) => time(figures?.p99) },
        {
          title: 'Failures',
          attributes: numeric,
          hint: 'tries that got no answer: in the last ten seconds, and in all. Each of a request that may be repeated is tried at another instance',
          update: showFailures,
        },
        {
          title: 'Retries',
          attributes: numeric,
          hint: 'tries of the last ten seconds after which another instance was tried, whatever came of that',
          say: ({ figures }) => count(figures?.retries),
        },
        { title: 'Actions', attributes: { class: 'actions' }, update: (cell, item) => this.showActions(cell, item) },
      ],
    });
    this.proxies = new Table(byId('proxies'), {
      caption: 'Proxies',
      empty: 'There is no proxy.',
      key: ({ name }) => name,
      columns: [
        { title: 'Proxy', isHead: true, say: ({ name }) => name },
        { title: 'Requests/s', attributes: numeric, say: ({ requests }) => rate(requests) },
        { title: '5xx/s', attributes: numeric, update: (cell, { errors }) => showBad(cell, errors, rate) },
        { title: 'Connections', attributes: numeric, say: ({ connections }) => count(connections) },
      ],
    });
    this.backends = new Table(byId('backends'), {
      caption: 'Backends and versions',
      empty: 'No route leads to a backend.',
      key: ({ name }) => name,
      columns: [
        { title: 'Backend', isHead: true, say: ({ name }) => name },
        { title: 'Ready', attributes: numeric, say: ({ ready, all }) => `${ready} of ${all}` },
        { title: 'Requests/s', attributes: numeric, say: ({ requests }) => rate(requests) },
        { title: 'p50', attributes: numeric, say: ({ p50 }) => time(p50) },
        { title: 'p99', attributes: numeric, say: ({ p99 }) => time(p99) },
        {
          title: 'Retries',
          attributes: numeric,
          hint: 'requests of the last ten seconds that were tried again, and answered',
          say: ({ saved }) => count(saved),
        },
        {
          title: 'Lost',
          attributes: numeric,
          hint: 'requests of the last ten seconds that were tried again in vain, or found no instance',
          update: (cell, { lost, noInstance }) => showBad(cell, lost + noInstance),
        },
      ],
    });
    this.routes = new Table(byId('routes'), {
      caption: 'Routes',
      empty: 'There is no route.',
      key: ({ host, route }) => `${host} ${route}`,
      columns: [
        { title: 'Route', isHead: true, update: showRoute },
        { title: 'Goes to', say: ({ target }) => target },
        { title: 'Requests/s', attributes: numeric, say: ({ requests }) => rate(requests) },
        { title: 'p50', attributes: numeric, say: ({ p50 }) => time(p50) },
        { title: 'p99', attributes: numeric, say: ({ p99 }) => time(p99) },
        { title: '4xx/s', attributes: numeric, say: ({ clientErrors }) => rate(clientErrors) },
        { title: '5xx/s', attributes: numeric, update: (cell, { errors }) => showBad(cell, errors, rate) },
      ],
    });
    this.splits = new Keyed(byId('splits'), { key: ({ route }) => route, make: makeSplit, update: updateSplit });
    this.tls = new Table(byId('tls').appendChild(element('div', { class: 'table' })), {
      caption: 'Handshakes since the proxy counts',
      empty: 'No connection has brought a request yet.',
      key: ({ protocol, group }) => `${protocol} ${group}`,
      columns: [
        { title: 'Protocol', isHead: true, say: ({ protocol }) => protocol.replace(/^TLSv/, 'TLS ') },
        { title: 'Key exchange', say: ({ group }) => group || none },
        { title: 'Connections', attributes: numeric, say: ({ connections }) => count(connections) },
        { title: 'Resumed', attributes: numeric, say: ({ connections, resumed }) => percent(resumed / connections) },
      ],
    });
    this.certificates = new Keyed(byId('tls').appendChild(element('ul', { class: 'certificates' })), {
      key: ({ hosts }) => hosts.join(' '),
      make: () => element('li', {}, element('b', {}), element('span')),
      update: updateCertificate,
    });
  }

  describe(description) {
    this.description = description;
    const hosts = new Set(description.routes.map(({ host }) => host));
    byId('routes').classList.toggle('one-host', hosts.size < 2);
    byId('in-terminal').hidden = description.top === undefined;
    setText(byId('in-terminal').lastElementChild, description.top ?? '');
    byId('splits-panel').hidden = description.routes.every(({ shared }) => shared.length === 0);
  }

  show({ instances, proxies, certificates }, figures) {
    const { backends } = this.description;
    byId('proxies-panel').hidden = proxies.length === 0;
    const ofProxy = new Map(figures?.proxies.map((each) => [each.name, each]));
    this.proxies.show(proxies.map((name) => ({ name, ...ofProxy.get(name) })));
    const ofInstance = new Map(figures?.instances.map((each) => [each.name, each]));
    const versions = new Map(backends.map(({ name, backend, version }) => [name, version === '' ? backend : version]));
    const staying = (name) => instances.filter(({ backend, health }) => backend === name && isStaying(health)).length;
    this.instances.show(
      instances.map((instance) => ({
        ...instance,
        version: versions.get(instance.backend) ?? instance.backend,
        figures: ofInstance.get(instance.name),
        isLast: staying(instance.backend) <= 1,
      })),
    );
    const ofBackend = new Map(figures?.backends.map((each) => [each.name, each]));
    this.backends.show(
      backends.map(({ name }) => {
        const own = instances.filter(({ backend, health }) => backend === name && health !== 'gone');
        const ready = own.filter(({ health }) => health === 'ready' || health === 'slow').length;
        return { name, ready, all: own.length, saved: null, lost: 0, noInstance: 0, ...ofBackend.get(name) };
      }),
    );
    this.routes.show(figures?.routes ?? this.description.routes);
    this.splits.show(figures?.splits ?? []);
    this.tls.show(figures?.tls ?? []);
    this.certificates.show(certificates);
  }

  showActions(cell, { name, health, canBeSlow, isLast }) {
    if (cell.buttons === undefined) {
      const button = (label, action) => {
        const made = element('button', { type: 'button' }, label);
        made.addEventListener('click', () => this.act(action(cell)));
        return made;
      };
      cell.buttons = {
        stop: button('Stop', () => ({ action: 'stop', instance: name })),
        kill: button('Kill', () => ({ action: 'kill', instance: name })),
        slow: button('Slow', () => ({ action: 'slow', instance: name, isSlow: !cell.isSlow })),
      };
      setAttributes(cell.buttons.stop, { 'aria-label': `Stop ${name}`, title: 'ends it as a scale-down does' });
      setAttributes(cell.buttons.kill, {
        'aria-label': `Kill ${name}`,
        title: 'ends it as a crash does; it is started again',
      });
      setAttributes(cell.buttons.slow, { 'aria-label': `Slow ${name}`, title: 'lets it answer late' });
      cell.append(...Object.values(cell.buttons));
    }
    cell.isSlow = health === 'slow';
    cell.buttons.stop.disabled = !isStaying(health) || isLast;
    cell.buttons.kill.disabled = health !== 'ready' && health !== 'slow';
    cell.buttons.slow.disabled = !canBeSlow || (health !== 'ready' && health !== 'slow');
    setAttributes(cell.buttons.slow, { 'aria-pressed': String(cell.isSlow) });
  }
}

function isStaying(health) {
  return health !== 'ending' && health !== 'gone';
}

function showHealth(cell, { health, reason }) {
  const said = health === 'failed' && reason !== undefined ? `failed: ${reason}` : healthNames[health];
  if (cell.dataset.health === health && cell.textContent === said) return;
  cell.dataset.health = health;
  cell.replaceChildren(element('span', { class: `health is-${health}` }, mark(health), said));
}

function showShare(cell, { figures }) {
  if (cell.fill === undefined) {
    cell.fill = element('span');
    cell.text = element('span');
    cell.append(element('span', { class: 'bar', 'aria-hidden': 'true' }, cell.fill), cell.text);
  }
  cell.fill.style.width = `${100 * (figures?.share ?? 0)}%`;
  setText(cell.text, percent(figures?.share));
}

function showFailures(cell, { figures }) {
  const { failures = 0, failed } = figures ?? {};
  setText(cell, failed === undefined ? none : failures > 0 ? `${count(failures)} of ${count(failed)}` : count(failed));
  cell.classList.toggle('is-bad', failures > 0);
}

function showBad(cell, value, format = count) {
  setText(cell, format(value));
  cell.classList.toggle('is-bad', value > 0);
}

function showRoute(cell, { host, path }) {
  if (cell.host === undefined) {
    cell.path = element('span');
    cell.host = element('span', { class: 'host muted' });
    cell.append(cell.path, cell.host);
  }
  setText(cell.path, path);
  setText(cell.host, host);
}

function makeSplit({ path, host }) {
  const shares = element('ul', {});
  const node = element(
    'div',
    { class: 'split' },
    element('h3', {}, path, ' ', element('span', { class: 'muted' }, host)),
    shares,
  );
  node.shares = new Keyed(shares, {
    key: ({ backend }) => backend,
    make: ({ backend }) => {
      const fill = element('span', { class: 'has' });
      const wish = element('span', { class: 'wish' });
      const text = element('span', { class: 'number' });
      const item = element(
        'li',
        {},
        element('span', { class: 'name' }, backend),
        element('span', { class: 'bar', 'aria-hidden': 'true' }, fill, wish),
        text,
      );
      return Object.assign(item, { fill, wish, text });
    },
    update: (item, { weight, measured }) => {
      item.fill.style.width = `${measured ?? 0}%`;
      item.wish.style.left = `${weight}%`;
      setText(item.text, `${measured === null ? none : percent(measured / 100)} of ${weight} %`);
    },
  });
  return node;
}

function updateSplit(node, { shares }) {
  node.shares.show(shares);
}

function updateCertificate(item, { hosts, notAfter, isSelfSigned }) {
  const days = Math.floor((notAfter - Date.now()) / 86_400_000);
  setText(item.firstChild, hosts.join(', '));
  setText(
    item.lastChild,
    `${isSelfSigned ? 'self-signed, ' : ''}valid until ${day(notAfter)}, ${count(days)} days more`,
  );
  item.classList.toggle('is-bad', days < 7);
}
