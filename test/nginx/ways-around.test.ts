import { nginxConf } from '../../nginx/nginx-conf';
import { ProxyProps } from '../../nginx/proxy';
import { proxyProps } from './real-nginx';

/** A directive or a block of nginx.conf. */
interface Block {
  readonly text: string;
  readonly body: readonly Block[];
}

const variants: Record<string, Partial<ProxyProps>> = {
  defaults: {},
  streams: { streamPaths: ['/events', '/ws'] },
  fallback: { upstreamFallback: { host: '10.0.0.1', port: 3000 }, streamPaths: ['/events'] },
  everything: {
    upstreamService: 'http',
    loadBalancing: 'hash',
    hashKey: 'header:X-User-Id',
    trustedProxies: ['10.0.0.0/8'],
    upstreamFallback: { host: '10.0.0.1', port: 3000 },
    streamPaths: ['/events'],
    certificateStore: '/run/certificates',
    certificateCheckPort: 8445,
    connectionCount: { httpPort: 8446, httpsPort: 8447 },
  },
};

/** Every rule of a server holds on every way that a request can take through it. */
describe.each(Object.entries(variants))('No way around: %s', (_name, props) => {
  const root = parse(nginxConf(proxyProps(props)));
  const all = everyBlock(root);
  const http = one(root, /^http$/);
  const servers = http.body.filter(({ text }) => text === 'server');
  const api = servers.find(
    ({ body }) =>
      body.some(({ text }) => text.startsWith('server_name') && text.includes('localhost')) &&
      body.some(({ text }) => text.startsWith('http2')),
  );
  const locations = (api?.body ?? []).filter(({ text }) => text.startsWith('location '));
  const proxied = locations.filter(({ body }) => body.some(({ text }) => text.startsWith('proxy_pass')));

  test('no header, cookie, query or body of a client chooses a location', () => {
    const choosing = all.flatMap(({ text }) => [
      ...(text.startsWith('error_page') ? (/= ?(\$\w+)$/.exec(text)?.slice(1) ?? []) : []),
      ...(/^(?:proxy_pass|rewrite|try_files|set|if)\b/.test(text)
        ? [...text.matchAll(/\$\w+/g)].map(([name]) => name)
        : []),
    ]);
    const sources = new Set(choosing.flatMap((name) => sourcesOf(name, http)));
    // $route is what the location that was entered says.
    const allowed = /^\$(request_method|upstream_\w+|uri|certificate_is_good|health_check_path|route)$/;
    expect([...sources].filter((name) => !allowed.test(name))).toEqual([]);
    expect(choosing.length).toBeGreaterThan(0);
  });

  test('every way of a route has the same rules, and each location that is entered says whose it is', () => {
    const rules = ({ body }: Block): string[] =>
      body
        .map(({ text }) => text)
        .filter((text) => !/^(set \$route|proxy_pass|proxy_next_upstream_tries|error_page 502 504)\b/.test(text));
    for (const location of proxied) {
      const [, name] = /^location @(?:again|fallback)_(\w+)$/.exec(location.text) ?? [];
      const set = location.body.filter(({ text }) => text.startsWith('set '));
      if (name === undefined) {
        expect(set.map(({ text }) => text)).toEqual([expect.stringMatching(/^set \$route [a-z0-9_]+$/)]);
        continue;
      }
      expect(set).toEqual([]);
      const entries = proxied.filter(({ body }) => body.some(({ text }) => text === `set $route ${name}`));
      expect(entries.length).toBeGreaterThan(0);
      for (const entry of entries) expect(rules(location)).toEqual(rules(entry));
    }
  });

  test('there is no location by a condition', () => {
    expect(
      (api?.body ?? []).flatMap(everyText).filter((text) => /^(if|rewrite|return 418|limit_except)\b/.test(text)),
    ).toEqual([]);
  });

  test('every location that leads to the API is counted, and takes no rule of the server away', () => {
    expect(proxied.length).toBeGreaterThan(1);
    const counted = api?.body.filter(({ text }) => text.startsWith('limit_conn '));
    expect(counted).toHaveLength(2);
    for (const { body } of proxied) {
      const texts = body.map(({ text }) => text);
      const own = texts.filter((text) => text.startsWith('limit_conn '));
      // Those of its own replace those of the server.
      if (own.length > 0) expect(own.join()).toMatch(/limit_conn streams \d+,limit_conn requests_of_client \d+/);
      expect(
        texts.filter((text) =>
          /^(proxy_set_header|allow|deny|satisfy|auth_|client_max_body_size|proxy_hide_header)/.test(text),
        ),
      ).toEqual([]);
    }
  });

  test('only the paths that the deployment names may be silent for long', () => {
    const patient = locations.filter(({ body }) => body.some(({ text }) => text.startsWith('proxy_read_timeout')));
    const named = (props.streamPaths ?? []).flatMap((path) => [`location = ${path}`, `location ${path}/`]);
    const reachedFromOutside = patient.map(({ text }) => text).filter((text) => !text.startsWith('location @'));
    expect(reachedFromOutside).toEqual(named);
  });
});

/** What a variable goes by in the end. */
function sourcesOf(name: string, http: Block): string[] {
  const map = http.body.find(({ text }) => new RegExp(`^(?:map|geo) .*\\${name}$`).test(text));
  if (map === undefined) return [name];
  const key = map.text.replace(/\$\w+$/, '');
  const values = map.body.map(({ text }) => text.replace(/^(?:"[^"]*"|\S+) /, ''));
  return [key, ...values].flatMap((text) => [...text.matchAll(/\$\w+/g)].flatMap(([other]) => sourcesOf(other, http)));
}

function one(root: Block, text: RegExp): Block {
  const found = root.body.find((block) => text.test(block.text));
  if (found === undefined) throw new Error(`${String(text)} is not there`);
  return found;
}

function everyBlock(block: Block): Block[] {
  return [block, ...block.body.flatMap(everyBlock)];
}

function everyText(block: Block): string[] {
  return everyBlock(block).map(({ text }) => text);
}

/** Our own output, a directive a line. */
function parse(conf: string): Block {
  const root: { text: string; body: Block[] } = { text: '', body: [] };
  const open = [root];
  for (const line of conf.split('\n')) {
    const text = line.replace(/ +# .*$/, '').trim();
    if (text === '' || text.startsWith('#')) continue;
    if (text === '}') {
      open.pop();
      continue;
    }
    const block = { text: text.replace(/ ?[{;]$/, ''), body: [] };
    open.at(-1)?.body.push(block);
    if (text.endsWith('{')) open.push(block);
  }
  return root;
}
