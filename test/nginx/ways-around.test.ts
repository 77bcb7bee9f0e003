import { passesBodyOn, RouteModel, TargetModel } from '../../model/routes/route';
import { nginxConf } from '../../nginx/nginx-conf';
import { proxyModel, somePlace } from './support/models';
import { variantsOfRoutes } from './support/variants-of-routes';
import { Block, everyBlock, everyText, one, parse } from './support/parsed-conf';

function isPass(text: string): boolean {
  return /^(?:proxy|grpc)_pass /.test(text);
}

function isForwarded({ kind }: TargetModel): boolean {
  return ['backend', 'split', 'external'].includes(kind);
}

/** What of a request a deployment has named as choosing a route or a backend. */
function namedByDeployment(routes: readonly RouteModel[]): Set<string> {
  const lower = (name: string): string => name.toLowerCase().replaceAll('-', '_');
  const prefix = { header: '$http_', cookie: '$cookie_', query: '$arg_' } as const;
  return new Set(
    routes.flatMap(({ when, target, rewrite, cors, auth, protocol, ...rules }) => [
      // What TLS has verified; and, between 401 and a page of the deployment, what a browser asks for, as an argument of that.
      ...(auth?.kind === 'clientCertificate' ? ['$certificate_is_valid', '$ssl_client_s_dn'] : []),
      ...(auth?.kind === 'external' && auth.signIn !== undefined
        ? ['$http_accept', '$host', '$encoded_request_uri']
        : []),
      // In which form a client is told that there is no route.
      ...(protocol === 'grpc' ? ['$http_content_type'] : []),
      // What a preflight is known by.
      ...(cors === undefined ? [] : ['$request_method', '$http_origin', '$http_access_control_request_method']),
      ...when.map((condition) =>
        condition.kind === 'method' ? '$request_method' : `${prefix[condition.kind]}${lower(condition.name)}`,
      ),
      ...(target.kind === 'split' && 'name' in target.stickyBy.source
        ? [`${prefix[target.stickyBy.source.kind]}${lower(target.stickyBy.source.name)}`, '$remote_addr']
        : []),
      ...(rewrite === undefined && !(target.kind === 'external' && target.pathPrefix !== '') ? [] : ['$request_uri']),
      // Between a refusal and the way on: a path that climbs, where a route has rules.
      ...([auth, rules.allowFrom, rules.rateLimits, rules.maxConnectionsPerClient].every((rule) => rule === undefined)
        ? []
        : ['$request_uri']),
      // A name of the server that was asked for.
      ...(target.kind === 'redirect' ? ['$request_uri', '$host'] : []),
    ]),
  );
}

/** Every rule of a server holds on every way that a request can take through it. */
describe.each(Object.entries(variantsOfRoutes))('No way around: %s', (_name, { place, ...parts }) => {
  const model = proxyModel(parts);
  const root = parse(nginxConf(model, somePlace(place)));
  const all = everyBlock(root);
  const http = one(root, /^http$/);
  const texts = ({ body }: Block): string[] => body.map(({ text }) => text);
  const servers = http.body.filter((block) => block.text === 'server' && texts(block).includes('http2 on'));
  const hosts = model.hosts.map(({ names, routes }) => {
    const server = servers.find((block) => texts(block).includes(`server_name ${names.join(' ')}`));
    const locations = (server?.body ?? []).filter(({ text }) => text.startsWith('location '));
    const toBackend = locations.filter(({ body }) => body.some(({ text }) => isPass(text)));
    const isCopy = (block: Block): boolean => block.text.startsWith('location = /.copy-of-');
    const isAsking = (block: Block): boolean => block.text.startsWith('location = /.asks-');
    const copies = toBackend.filter(isCopy);
    const proxied = toBackend.filter((block) => !isCopy(block) && !isAsking(block));
    return { server, locations, proxied, copies, routes };
  });
  /** Whether a copy is sent is no choice of who answers. */
  const isNoCopy = ({ text }: Block): boolean => !text.startsWith('if ($is_copied_');
  const proxied = hosts.flatMap((host) => host.proxied);
  const routes = hosts.flatMap((host) => host.routes);

  test('each host has a server of its own', () => {
    expect(servers).toHaveLength(model.hosts.length);
    for (const { server } of hosts) expect(server).toBeDefined();
  });

  test('a request on a connection that was shown the certificate of another host is refused before anything else', () => {
    const certificates = new Set(model.hosts.map(({ certificate }) => certificate));
    for (const [index, { server }] of hosts.entries()) {
      const conditions = server?.body.filter(({ text }) => text.startsWith('if ')) ?? [];
      const shown = model.hosts[index]?.certificate ?? '';
      expect(conditions.map((block) => [block.text, texts(block)])).toEqual(
        certificates.size === 1 ? [] : [[`if ($certificate != "${shown}")`, ['return 421']]],
      );
      if (certificates.size > 1) expect(server && texts(server)).toContain('error_page 421 @misdirected_request');
    }
  });

  test('nothing of a client but what the deployment names chooses a location or a backend', () => {
    const choosing = all
      .filter(isNoCopy)
      .flatMap(({ text }) => [
        ...(text.startsWith('error_page') ? (/= ?(\$\w+)$/.exec(text)?.slice(1) ?? []) : []),
        ...(/^(?:proxy_pass|grpc_pass|rewrite|try_files|set|if)\b/.test(text)
          ? [...text.matchAll(/\$\{?\w+/g)].map(([name]) => name.replace('{', ''))
          : []),
      ]);
    const sources = new Set(choosing.flatMap((name) => sourcesOf(name, http, all)));
    // Of what a client names in its handshake, between 421 and the way on. $route is what the location that was entered says, $live_backend goes by it and $split_key; a length chooses but between 413 and the way on.
    const allowed =
      /^\$(request_method|upstream_\w+|uri|document_root|certificate_is_good|host_certificate_is_awaited|is_proved|asked_status|ssl_server_name|content_length|live_backend)$/;
    const named = namedByDeployment(routes);
    expect([...sources].filter((name) => !allowed.test(name) && !named.has(name))).toEqual([]);
    expect(choosing.length).toBeGreaterThan(0);
  });

  test('every way of a route has the same rules, and each location that is entered says whose it is', () => {
    const rules = (block: Block): string[] =>
      texts(block).filter(
        (text) =>
          !/^(set|auth_request_set|if|mirror|(?:proxy|grpc)_pass|(?:proxy|grpc)_next_upstream_tries|error_page (502 504|418)|proxy_cache_lock|proxy_cache_lock_timeout|proxy_cache_use_stale)\b/.test(
            text,
          ),
      );
    for (const host of hosts) {
      const seen = new Set<Block>();
      for (const route of host.routes) {
        const { name, target } = route;
        if (!isForwarded(target)) continue;
        const entries = host.proxied.filter((block) => texts(block).includes(`set $route ${name}`));
        const further = host.proxied.filter(({ text }) =>
          [`location @again_${name}`, `location @fallback_${name}`].includes(text),
        );
        expect(entries.length).toBeGreaterThan(0);
        // Nobody has what a client goes on sending, so that there is no further try.
        expect(further.length > 0).toBe(!passesBodyOn(route));
        for (const location of [...entries, ...further]) {
          seen.add(location);
          expect(rules(location)).toEqual(entries[0] && rules(entries[0]));
        }
        for (const location of further) expect(texts(location).filter((text) => text.startsWith('set '))).toEqual([]);
      }
      expect(host.proxied.filter((location) => !seen.has(location))).toEqual([]);
    }
  });

  test('every further try asks the backend of the first one, with the same path', () => {
    for (const host of hosts) {
      for (const route of host.routes) {
        const { name, target } = route;
        if (!isForwarded(target)) continue;
        const to = (location: string): string[] =>
          host.proxied
            .filter(({ text }) => text === location)
            .flatMap(texts)
            .filter(isPass);
        const [first] = host.proxied
          .filter((block) => texts(block).includes(`set $route ${name}`))
          .flatMap((block) => texts(block).filter(isPass));
        expect(to(`location @again_${name}`)).toEqual(passesBodyOn(route) ? [] : [first]);
        for (const fallback of to(`location @fallback_${name}`)) {
          expect(fallback.replace('_fallback', '').replace(/\$\{(\w+)\}/, '$$$1')).toBe(first);
        }
      }
    }
  });

  test('every location that something leads to is there', () => {
    for (const { server, routes: ofHost } of hosts) {
      if (server === undefined) continue;
      const there = new Set(texts(server).flatMap((text) => /^location (@\S+)$/.exec(text)?.slice(1) ?? []));
      const ledTo = (variable: string): string[] => {
        const map = http.body.find(({ text }) => text.startsWith('map ') && text.endsWith(` ${variable}`));
        return (map === undefined ? [] : texts(map)).flatMap((text) => {
          const value = text.replace(/^(?:"[^"]*"|\S+) /, '');
          return value.startsWith('@') ? [value] : ledTo(value);
        });
      };
      for (const text of everyText(server)) {
        const variable = /^(?:set \$chosen|error_page (?:502 504|503) =?) ?(\S+)$/.exec(text)?.[1] ?? '';
        const whose = text.startsWith('error_page') ? ofHost : ofHost.slice(0, 1);
        for (const location of variable.startsWith('@') ? [variable] : ledTo(variable)) {
          const some = whose.filter((route) => isForwarded(route.target) && !passesBodyOn(route));
          const pages = new Set(
            everyText(server)
              .flatMap((line) => /^set \$error_pages (\S+)$/.exec(line)?.slice(1) ?? [])
              .concat(''),
          );
          const names = location.includes('$route')
            ? some.map(({ name }) => location.replace('$route', name))
            : location.includes('$error_pages')
              ? [...pages].map((suffix) => location.replace('$error_pages', suffix))
              : [location];
          const missing = names.filter((name) => !there.has(name));
          // Only routes of a backend with a fallback come to a map that leads there.
          expect(missing.filter((name) => !name.startsWith('@fallback_'))).toEqual([]);
        }
      }
      for (const { name } of ofHost) {
        const next = texts(
          server.body.find(({ text }) => text === `location @again_${name}`) ?? { text: '', body: [] },
        );
        if (next.includes('error_page 502 504 = $after_instances')) expect(there).toContain(`@fallback_${name}`);
      }
    }
  });

  test('every location of files has the same rules, and says nothing of what is there before they are asked', () => {
    for (const { locations, routes: ofHost } of hosts) {
      const served = ofHost.filter(({ target }) => target.kind === 'files');
      const seen = new Set<Block>();
      for (const { name, path, when } of served) {
        const entered =
          when.length > 0
            ? [`location @route_${name}`]
            : path.path === '/'
              ? ['location /']
              : [`location = ${path.path}`, `location ${path.path}/`];
        const further = ['no_file', 'directory', 'missing'].map((word) => `location @${word}_${name}`);
        const all = [...entered, ...further].map((text) => locations.find((location) => location.text === text));
        // All that is not about which file it is, and how that is served.
        const rules = (block: Block | undefined): string[] =>
          (block === undefined ? ['missing'] : texts(block)).filter(
            (text) =>
              !/^(?:root|types|default_type|charset|gzip_static|gzip_types|auth_request_set|error_page|if|set|try_files|return|add_header Cache-Control)\b/.test(
                text,
              ),
          );
        expect(rules(all[0]).length).toBeGreaterThan(0);
        for (const location of all) {
          if (location !== undefined) seen.add(location);
          expect(rules(location)).toEqual(rules(all[0]));
        }
        const [, noFile] = [all[0], all[entered.length]];
        for (const location of all.slice(0, entered.length)) {
          const own = location?.body ?? [];
          // Whether a file is there is looked at by try_files, which comes after the rules, and by a test in the location that it leads to.
          expect(own.filter(({ text }) => /^if \(-[a-z] /.test(text))).toEqual([]);
          expect(texts(location ?? root).at(-1)).toMatch(new RegExp(`^try_files \\$file_\\w+ @no_file_${name}$`));
        }
        expect(noFile?.body.filter(({ text }) => text.startsWith('if (-f '))).toHaveLength(1);
      }
      const serving = locations.filter((location) =>
        texts(location).some((text) => /^(?:root (?!\/dev\/null)|try_files (?!\/none =204))/.test(text)),
      );
      expect(serving.filter((location) => !seen.has(location))).toEqual([]);
    }
    expect(all.filter(({ text }) => /^(?:alias|autoindex|index|include)\b/.test(text))).toEqual([]);
  });

  test('a condition decides between routes, and between a route and a refusal, and nothing else', () => {
    for (const { locations } of hosts) {
      for (const location of locations) {
        const own = texts(location);
        if (own.includes('return 418')) {
          const others = own.filter(
            (text) => !/^(set \$chosen \$choice_\w+|client_max_body_size \w+|error_page .*)$/.test(text),
          );
          expect(others).toEqual(['return 418']);
        }
        for (const block of location.body.filter(({ text }) => text.startsWith('if ')).filter(isNoCopy)) {
          const asGrpc = block.text === 'if ($asked_by_grpc)' ? ['error_page 404 = @not_found_as_grpc'] : [];
          expect(texts(block)).toEqual([
            ...asGrpc,
            block.text.startsWith('if (!-f ')
              ? 'return 500'
              : /^if \(\$(?:is_proved|asked_status)\b/.test(block.text)
                ? 'return 204'
                : block.text === 'if ($sign_in_address)'
                  ? 'return 302 $sign_in_address'
                  : expect.stringMatching(/^return 4\d\d$/),
          ]);
        }
      }
      const conditional = routes.some(({ when }) => when.length > 0);
      const text = locations.flatMap(everyText);
      expect(text.filter((line) => /^(rewrite|limit_except)\b/.test(line))).toEqual([]);
      if (!conditional) expect(text).not.toContain('return 418');
    }
  });

  test('copies are sent by the first try of a route alone, to where no answer comes from', () => {
    for (const { proxied: ofServer, copies, routes: ofHost } of hosts) {
      const mirrored = ofHost.filter(({ mirror }) => mirror !== undefined);
      // What makes nginx read a whole call first is no copy.
      const sending = ofServer.filter((block) => texts(block).some((text) => /^mirror (?!\/\.whole-body$)/.test(text)));
      const entries = ofServer.filter((block) =>
        mirrored.some(({ name }) => texts(block).includes(`set $route ${name}`)),
      );
      expect(sending).toEqual(entries);
      expect(copies).toHaveLength(mirrored.length);
      for (const [index, copy] of copies.entries()) {
        const own = texts(copy);
        const from = sending.filter((block) => texts(block).includes(`mirror ${copy.text.replace('location = ', '')}`));
        expect(from.length).toBeGreaterThan(0);
        expect(own.filter((text) => text.startsWith('proxy_pass '))).toEqual([
          expect.stringMatching(new RegExp(`^proxy_pass http://${String(mirrored[index]?.mirror?.backend)}_mirror\\$`)),
        ]);
        // What is set there, or asked of the answer of an instance, would be so for the request itself.
        expect(own.filter((text) => /^(set|error_page 502 504 = \$|mirror|limit_|add_header)/.test(text))).toEqual([]);
        expect(own).toContain('error_page 502 504 = @not_copied');
        for (const block of copy.body.filter(({ text }) => text.startsWith('if '))) {
          expect(isNoCopy(block)).toBe(false);
          expect(texts(block)).toEqual(['return 204']);
        }
        expect(own).toContain('proxy_set_header X-Mirrored "true"');
        const headers = (block: Block | undefined): string[] =>
          (block === undefined ? [] : texts(block)).filter((text) => /^proxy_set_header (?!X-Mirrored)/.test(text));
        const ofRequest = headers(from[0]).length > 0 ? headers(from[0]) : headers(http);
        expect(headers(copy)).toEqual(ofRequest);
      }
      if (copies.length > 0) {
        for (const block of [http, ...ofServer]) {
          const list = texts(block).filter((text) => text.startsWith('proxy_set_header '));
          if (list.length > 0) expect(list).toContain('proxy_set_header X-Mirrored ""');
        }
      }
    }
  });

  test('every way of a route has its limits, and the answer that belongs to them', () => {
    for (const { server, proxied: ofServer, routes: ofHost } of hosts) {
      for (const { name, rateLimits: limits = [] } of ofHost) {
        const ways = ofServer.filter(
          (block) =>
            texts(block).includes(`set $route ${name}`) ||
            [`location @again_${name}`, `location @fallback_${name}`].includes(block.text),
        );
        for (const way of ways) {
          expect(texts(way).filter((text) => text.startsWith('limit_req '))).toHaveLength(limits.length);
          if (limits.length === 0) continue;
          const pages = texts(way).filter((text) => text.startsWith('error_page ') && !text.includes('502 504'));
          expect(pages.length > 0 ? pages : texts(server ?? way)).toContainEqual(
            expect.stringMatching(/^error_page 429 (?:@too_many_requests(_of_\w+)?|= @too_many_requests_as_grpc)$/),
          );
        }
      }
    }
  });

  test('nothing is kept but by routes that say so, for whoever asks the same of the same, and nothing old is given early', () => {
    for (const { proxied: ofServer, routes: ofHost } of hosts) {
      for (const { name, cache, target, requestHeaders } of ofHost) {
        const ways = ofServer.filter(
          (block) =>
            texts(block).includes(`set $route ${name}`) ||
            [`location @again_${name}`, `location @fallback_${name}`].includes(block.text),
        );
        for (const way of ways) {
          const own = texts(way).filter((text) => text.startsWith('proxy_cache'));
          if (cache === undefined) {
            expect(own).toEqual([]);
            continue;
          }
          const [key] = own.filter((text) => text.startsWith('proxy_cache_key '));
          // Who someone has proved to be is told to the API, and so tells answers apart.
          for (const [header, value] of requestHeaders) {
            if (typeof value !== 'object') continue;
            expect(key).toContain(
              value.proved === 'certificate'
                ? '\\n$ssl_client_s_dn'
                : `\\n$${value.proved}_${header.toLowerCase().replaceAll('-', '_')}`,
            );
          }
          expect(key).toMatch(
            target.kind === 'split'
              ? /^proxy_cache_key "\$route \$backend \$host\$request_uri/
              : /^proxy_cache_key "\$route \$host\$request_uri/,
          );
          const [, variable = ''] =
            /^proxy_cache (\$\w+)$/.exec(own.find((text) => text.startsWith('proxy_cache ')) ?? '') ?? [];
          const map = http.body.find(({ text }) => text.startsWith('map ') && text.endsWith(` ${variable}`));
          expect(map?.text).toContain('$http_authorization');
          expect(map?.text.includes('$http_cookie')).toBe(cache.key.length === 0);
          expect(map && texts(map)).toEqual([expect.stringMatching(/^"" cache_of_/)]);
          expect(texts(way)).toContainEqual(expect.stringMatching(/^proxy_no_cache \$answer_longer_than_1m/));
          const isLast = texts(way).some((text) => /^error_page 502 504 = \$after_(?:last_try|external)$/.test(text));
          const stale = own.filter((text) => text.startsWith('proxy_cache_use_stale'));
          expect(stale).toEqual(cache.staleFor === 0 ? [] : [expect.stringMatching(isLast ? / error$/ : / http_504$/)]);
          expect(own.includes('proxy_cache_lock on')).toBe(texts(way).includes(`set $route ${name}`));
        }
      }
    }
    // What the API says of it counts. No answer leads to another route.
    for (const { text } of all.filter((block) => block.text.includes('_ignore_headers '))) {
      expect(text).toMatch(/^(?:proxy|grpc)_ignore_headers X-Accel-Redirect$/);
    }
  });

  /** Every location that a request of a route may be in. */
  const waysOf = ({ locations }: (typeof hosts)[number], route: RouteModel): Block[] => {
    const { name, path, when, target } = route;
    const words = ['again', 'fallback', 'no_file', 'directory', 'missing', 'preflight'];
    const further = words.map((word) => `location @${word}_${name}`);
    const entered = [`location @route_${name}`, `location = ${path.path}`, `location ${path.path.replace(/\/$/, '')}/`];
    return locations.filter((location) => {
      if (further.includes(location.text)) return true;
      if (isForwarded(target)) return texts(location).includes(`set $route ${name}`);
      return when.length === 0 && entered.includes(location.text) && !texts(location).includes('return 418');
    });
  };

  test('who may not ask is refused on every way of a route, before anything answers', () => {
    for (const host of hosts) {
      const closed = host.routes.filter(({ allowFrom }) => allowFrom !== undefined);
      const seen = new Set<Block>();
      for (const route of closed) {
        const ways = waysOf(host, route);
        expect(ways.length).toBeGreaterThan(0);
        for (const way of ways) {
          seen.add(way);
          const refusing = way.body.filter(({ text }) => text.startsWith('if ($stranger_to_'));
          expect(refusing.map(texts)).toEqual([['return 403']]);
          const variable = /\$\w+/.exec(refusing[0]?.text ?? '')?.[0] ?? '';
          const networks = texts(one(http, new RegExp(`^geo \\${variable}$`)));
          expect(networks).toEqual(['default 1', ...(route.allowFrom ?? []).map((network) => `${network} 0`)]);
          const answering = /^(?:return|try_files|proxy_pass|grpc_pass|if|error_page 418|limit_req|mirror)\b/;
          const [first] = way.body.filter(({ text }) => answering.test(text));
          expect(first).toBe(refusing[0]);
        }
      }
      const refusing = host.locations.filter(({ body }) => body.some(({ text }) => text.includes('$stranger_to_')));
      expect(refusing.filter((location) => !seen.has(location))).toEqual([]);
    }
  });

  test('CORS is said on every way of a route, by nginx alone', () => {
    for (const host of hosts) {
      const withCors = host.routes.filter(({ cors }) => cors !== undefined);
      const said = host.server?.body.filter(({ text }) => text.startsWith('add_header Access-Control-')) ?? [];
      expect(said.length > 0).toBe(withCors.length > 0);
      for (const route of withCors) {
        const ways = waysOf(host, route);
        expect(ways.some(({ text }) => text === `location @preflight_${route.name}`)).toBe(true);
        for (const way of ways) {
          const own = texts(way).join('\n');
          if (own.includes('proxy_pass')) expect(own).toContain('proxy_hide_header Access-Control-Allow-Origin');
          if (own.includes('add_header_inherit off')) expect(own).toContain('add_header Vary $varies_by always');
          // A body that is too long is refused before the location says anything: its errors lead to where it is said again.
          const path = /error_page 400 .* (\S+)$/m.exec(own)?.[1];
          if (path === undefined && /^location @(?:directory|missing)_/.test(way.text)) continue;
          const errors = host.locations.find(({ text }) => text === `location = ${String(path)}`);
          expect(errors === undefined ? [] : texts(errors)).toContainEqual(
            expect.stringMatching(/^set \$allowed_origin /),
          );
        }
        const entered = ways.filter(({ text }) => !/^location @(?!route_)/.test(text));
        expect(entered.length).toBeGreaterThan(0);
        for (const way of entered)
          expect(texts(way).join()).toMatch(/set \$allowed_origin .*error_page 418 = @preflight_/);
      }
    }
  });

  test('what a client has in progress on a route is counted on every way', () => {
    for (const host of hosts) {
      for (const route of host.routes) {
        const limit = `limit_conn client_on_${route.name} ${String(route.maxConnectionsPerClient)}`;
        const counting = host.locations.filter((location) => texts(location).includes(limit));
        expect(counting).toEqual(route.maxConnectionsPerClient === undefined ? [] : waysOf(host, route));
      }
    }
  });

  test('every location of a route asks who it is, in the same words, and has the answer that belongs to it', () => {
    for (const { server, locations, copies, routes: ofHost } of hosts) {
      if (server === undefined) continue;
      // What leads to an answer of a backend or to a file; what only leads on, or refuses, needs nobody's name.
      const answering = locations.filter(
        (location) =>
          !copies.includes(location) &&
          !location.text.startsWith('location @preflight_') &&
          !location.text.startsWith('location = /.asks-') &&
          texts(location).some((text) => /^(?:proxy_pass|grpc_pass|try_files|root)\b/.test(text)),
      );
      expect(everyText({ ...server, body: server.body.filter(({ body }) => body.length === 0) })).not.toContainEqual(
        expect.stringMatching(/^auth_|^satisfy/),
      );
      for (const location of answering) {
        const whose = ofHost.filter(
          ({ name, path }) =>
            texts(location).includes(`set $route ${name}`) ||
            [`again_${name}`, `fallback_${name}`, `no_file_${name}`, `missing_${name}`, `route_${name}`].some(
              (word) => location.text === `location @${word}`,
            ) ||
            (texts(location).some((text) => text.startsWith('try_files')) &&
              [`location = ${path.path}`, `location ${path.path}/`, `location ${path.path}`].includes(location.text)),
        );
        expect([location.text, whose.length]).toEqual([location.text, 1]);
        const { auth } = whose[0] ?? {};
        const asks = {
          none: [],
          basic: ['auth_basic "Restricted"', 'auth_basic_user_file "/etc/nginx/auth/secrets/admins/auth"'],
          jwt: ['auth_request /.tokens-api_canary'],
          external: [
            auth?.kind === 'external' && auth.signIn
              ? 'auth_request /.asks-shop_files'
              : 'auth_request /.asks-shop_reads',
          ],
          clientCertificate: [],
        };
        expect(texts(location).filter((text) => /^auth_(?!request_set)/.test(text))).toEqual(
          asks[auth?.kind ?? 'none'],
        );
        const conditions = location.body.filter(({ text }) => text.startsWith('if (!-f '));
        expect(conditions.map((block) => [block.text, texts(block)])).toEqual(
          auth?.kind !== 'basic' ? [] : [['if (!-f "/etc/nginx/auth/secrets/admins/auth")', ['return 500']]],
        );
        // A further try has been asked for before.
        if (
          auth === undefined ||
          auth.kind === 'clientCertificate' ||
          /^location @(again|fallback)_/.test(location.text)
        )
          continue;
        const pages = texts(location).filter((text) => text.startsWith('error_page ') && !text.includes('502 504'));
        const errors = pages.length > 0 ? pages : texts(server);
        expect(errors).toContainEqual(
          expect.stringMatching(/^error_page 401 (?:@unauthorized(?:_of_\S+)?|= @unauthorized_as_grpc)$/),
        );
        // The first page that is named for a status counts.
        if (auth.kind === 'jwt')
          expect(errors.find((text) => / 403\b/.test(text))).toMatch(/^error_page 403 @forbidden/);
      }
      // A browser sends no credentials with what it asks first.
      const preflights = locations.filter(({ text }) => text.startsWith('location @preflight_'));
      expect(preflights.flatMap(texts).filter((text) => /^auth_|^if \(!-f /.test(text))).toEqual([]);
    }
  });

  test('a certificate is asked for on every way of a route, once preflights are led away, and before anything answers', () => {
    for (const host of hosts) {
      const seen = new Set<Block>();
      for (const route of host.routes) {
        const { auth, cors } = route;
        if (auth?.kind !== 'clientCertificate') continue;
        const ways = waysOf(host, route).filter(({ text }) => !text.startsWith('location @preflight_'));
        expect(ways.length).toBeGreaterThan(0);
        for (const way of ways) {
          seen.add(way);
          const refusing = way.body.filter(({ text }) => text.startsWith('if ($no_client_of_'));
          expect(refusing.map(texts)).toEqual([['return 403']]);
          const map = http.body.find(
            ({ text }) => text.startsWith('map ') && refusing[0]?.text.includes(text.split(' ').at(-1) ?? ''),
          );
          expect(map && texts(map)).toEqual(
            auth.subjects.length === 0 ? ['default 1', '1 0'] : ['default 1', '"~^1 CN=billing,O=Acme$" 0'],
          );
          const before = way.body.slice(
            0,
            way.body.findIndex((block) => block === refusing[0]),
          );
          const answering = before.filter(({ text }) => /^(?:return|try_files|rewrite|if)\b/.test(text));
          // A location that is entered leads preflights away before, to rules of their own, and refuses addresses; no other has preflights.
          const others = answering.filter(
            ({ text }) => !text.startsWith('if ($stranger_to_') && !text.startsWith('if ($longer_than_'),
          );
          const isEntered = !/^location @(?!route_)/.test(way.text);
          expect(others.map(({ text }) => text)).toEqual(
            cors !== undefined && isEntered ? ['if ($preflight_request)'] : [],
          );
        }
      }
      const refusing = host.locations.filter(({ body }) => body.some(({ text }) => text.includes('$no_client_of_')));
      expect(refusing.filter((location) => !seen.has(location))).toEqual([]);
    }
  });

  test('a host whose routes ask for certificates has its clients verified, in sessions of its own, and no other host has', () => {
    const directories = hosts.flatMap(({ server, routes: ofHost }) => {
      if (server === undefined) return [];
      const asking = ofHost.filter(({ auth }) => auth?.kind === 'clientCertificate');
      const own = texts(server).filter((text) => /^(?:ssl_verify|ssl_client|error_page 495)/.test(text));
      expect(own).toEqual(
        asking.length === 0
          ? []
          : [
              'ssl_client_certificate "/etc/nginx/auth/secrets/partners/ca.crt"',
              ...['ssl_verify_client optional', 'ssl_verify_depth 4', 'error_page 495 =403 /.nginx-error'],
            ],
      );
      const [directory = ''] = texts(server).flatMap(
        (text) => /^ssl_certificate (\S+)\/tls\.crt$/.exec(text)?.slice(1) ?? [],
      );
      return asking.length === 0 ? [] : [directory];
    });
    expect(new Set(directories).size).toBe(directories.length);
    for (const directory of directories) {
      expect(everyText(root).filter((text) => text.startsWith(`ssl_certificate ${directory}/`))).toHaveLength(1);
    }
    expect(everyText(root).filter((text) => /^ssl_verify_client (?!optional$)/.test(text))).toEqual([]);
  });

  test('what decides who may go on is reached by no client, and a header that says who it is is set wherever a backend is asked', () => {
    const deciding = hosts.flatMap(({ locations }) => locations.filter(({ text }) => text.startsWith('location = /.')));
    const asking = all.flatMap(({ text }) => /^auth_request (\S+)$/.exec(text)?.slice(1) ?? []);
    for (const path of asking) expect(deciding.map(({ text }) => text)).toContain(`location = ${path}`);
    for (const location of deciding) expect(texts(location)).toContain('internal');
    // What one set of rules has proved, or one service has said, lets nobody in by another.
    for (const { text, body } of deciding) {
      const [, kind, name = ''] = /^location = \/\.(tokens|asks)-(\S+)$/.exec(text) ?? [];
      if (kind === undefined || texts({ text, body }).includes('return 503')) continue;
      const proved =
        kind === 'tokens' ? `if ($is_proved = ${name})` : `if ($asked_status ~ "^/\\.asks-${name} .*2\\d\\d$")`;
      expect(body.map((block) => block.text)).toContain(proved);
    }
    const headers = new Set(
      routes.flatMap(({ requestHeaders }) =>
        requestHeaders.flatMap(([header, value]) => (typeof value === 'object' ? [header] : [])),
      ),
    );
    for (const block of all) {
      const set = texts(block).filter((text) => text.startsWith('proxy_set_header '));
      const isProbe = texts(block).some((text) => text.startsWith('set $health_check_path'));
      if (set.length === 0 || isProbe) continue;
      for (const header of headers) {
        const values = set.filter((text) => text.startsWith(`proxy_set_header ${header} `));
        expect(values).toHaveLength(1);
        const asks = texts(block).some((text) => /^(?:auth_request |if \(\$no_client_of_)/.test(text));
        if (!asks && !texts(block).includes('internal')) expect(values).toEqual([`proxy_set_header ${header} ""`]);
      }
    }
  });

  test('every location that leads to a backend is counted, and takes no rule of a level above away', () => {
    expect(proxied.length).toBeGreaterThan(1);
    const lists = ['proxy_set_header', 'proxy_hide_header', 'grpc_set_header', 'grpc_hide_header'] as const;
    for (const { server, proxied: ofServer } of hosts) {
      expect(server?.body.filter(({ text }) => text.startsWith('limit_conn '))).toHaveLength(2);
      for (const location of ofServer) {
        const own = texts(location).filter((text) => text.startsWith('limit_conn '));
        // Those of its own replace those of the server.
        if (own.length > 0)
          expect(own.join()).toMatch(/limit_conn (streams|requests) \d+,limit_conn requests_of_client \d+/);
        expect(texts(location).filter((text) => /^(allow|deny|satisfy)/.test(text))).toEqual([]);
        for (const list of lists) {
          const names = (block: Block | undefined): string[] =>
            (block === undefined ? [] : texts(block))
              .filter((text) => text.startsWith(`${list} `))
              .map((text) => (text.split(' ')[1] ?? '').toLowerCase());
          const [here, above] = [names(location), names(server).length > 0 ? names(server) : names(http)];
          // A password that one route asks for is kept from the backend of that route alone.
          const rules = above.filter((name) => name !== 'authorization');
          if (here.length > 0) expect(here).toEqual(expect.arrayContaining(rules));
        }
        if (texts(location).includes('add_header_inherit off')) {
          const kept = texts(location).join('\n');
          for (const name of ['X-Request-Id', 'X-Content-Type-Options', 'Content-Security-Policy']) {
            expect(kept).toContain(`add_header ${name} `);
          }
        }
      }
    }
  });

  test('only the paths that the deployment names may be silent for long', () => {
    const streaming = routes.filter(({ streamTimeout }) => streamTimeout !== undefined);
    for (const { locations } of hosts) {
      for (const location of locations) {
        const [, seconds] = /(?:proxy|grpc)_read_timeout (\d+)s/.exec(texts(location).join()) ?? [];
        if (seconds === undefined || Number(seconds) <= model.timeline.requestTimeout) continue;
        const whose = streaming.filter(
          ({ name }) =>
            texts(location).includes(`set $route ${name}`) ||
            [`location @again_${name}`, `location @fallback_${name}`].includes(location.text),
        );
        expect(whose).toHaveLength(1);
        const [route] = whose;
        const path = route?.path.path ?? '';
        expect([`location = ${path}`, `location ${path}/`]).toEqual(
          location.text.startsWith('location @') ? expect.anything() : expect.arrayContaining([location.text]),
        );
      }
    }
  });
});

/** What a variable goes by in the end. */
function sourcesOf(name: string, http: Block, all: readonly Block[]): string[] {
  const set = all.filter(({ text }) => text.startsWith(`set ${name} `)).map(({ text }) => text.split(' ')[2] ?? '');
  if (set.length > 0) return set.flatMap((value) => (value.startsWith('$') ? sourcesOf(value, http, all) : []));
  const map = http.body.find(({ text }) => new RegExp(`^(?:map|geo|split_clients) .*\\${name}$`).test(text));
  if (map === undefined) return /^\$(rest_of_path|query_alone|file_below)$/.test(name) ? [] : [name];
  const key = map.text.replace(/\$\w+$/, '');
  const values = map.body.map(({ text }) => text.replace(/^(?:"[^"]*"|\S+) /, ''));
  return [key, ...values].flatMap((text) =>
    [...text.matchAll(/\$\w+/g)].flatMap(([other]) => sourcesOf(other, http, all)),
  );
}
