import { FrontDoor } from '../../diff/requests/front-door';
import { requestUri, sentHeaders, written } from '../../diff/requests/request';
import { requestDifferences } from '../../diff/requests/request-differences';
import { Match, Path } from '../../model/routes/matching';
import { nginxConf } from '../../nginx/nginx-conf';
import { type ProxyParts, proxyModel, somePlace } from '../nginx/support/models';
import type { Answer, RealNginx } from '../nginx/support/real-nginx';
import { type Echo, startWithBackends } from '../nginx/support/several-backends';

const page = (status: number) => ({ kind: 'response', status, body: 'a page', contentType: 'text/plain' }) as const;
const backends = [{ name: 'orders' }, { name: 'catalog' }, { name: 'next' }] as const;

const before: ProxyParts = {
  names: ['shop.example.com'],
  backends,
  routes: [
    { target: 'orders' },
    { path: '/catalog', target: 'catalog' },
    { path: '/catalog/old', target: 'orders' },
    { path: Path.exact('/status'), target: page(200) },
    { path: '/moved', target: { kind: 'redirect', location: 'https://a.example.com/x?1', status: 307 } },
  ],
};
const after: ProxyParts = {
  names: ['shop.example.com'],
  backends,
  routes: [
    { target: 'orders' },
    { name: 'testers', target: 'next', when: Match.header('X-Canary', 'always') },
    { path: '/catalog', target: 'catalog', rewrite: '' },
    {
      path: '/catalog',
      name: 'admins',
      target: 'next',
      when: Match.allOf(Match.method('PUT'), Match.cookie('as', 'admin')),
    },
    { path: Path.exact('/status'), target: page(204) },
    { path: '/moved', target: { kind: 'redirect', location: 'https://b.example.com/y?1', status: 308 } },
    { path: '/new', target: 'catalog', when: Match.query('v', '2') },
  ],
};

/** What an answer is called, as a difference says it. */
function described({ status, headers, body }: Answer, uri: string): string {
  const instance = headers['x-instance'];
  if (typeof instance === 'string') {
    const { url } = JSON.parse(body) as Echo;
    return `backend ${instance}${url === uri ? '' : `, asked for ${url}`}`;
  }
  if (headers.location !== undefined) return `a redirect, ${status} to ${String(headers.location)}`;
  return status === 404 ? '404, as no route fits' : `nginx itself, ${status}, text/plain`;
}

test('a real nginx answers each witness before and after as it is said', async () => {
  const differences = requestDifferences(
    new FrontDoor(nginxConf(proxyModel(before), somePlace())),
    new FrontDoor(nginxConf(proxyModel(after), somePlace())),
  );
  const [old, young] = await Promise.all([startWithBackends(before), startWithBackends(after)]);
  const asked: string[] = [];
  for (const { witness, changes } of differences) {
    const uri = requestUri(witness);
    const headers = Object.fromEntries(sentHeaders(witness).map((line) => line.split(': ') as [string, string]));
    const answer = ({ nginx }: { readonly nginx: RealNginx }): Promise<Answer> =>
      nginx.get({
        path: uri,
        method: witness.method,
        servername: witness.host,
        headers: { host: witness.host, ...headers },
      });
    for (const { subject, before: was, after: is } of changes) {
      if (subject !== 'answered by') continue;
      expect([written(witness), described(await answer(old), uri)]).toEqual([written(witness), was]);
      expect([written(witness), described(await answer(young), uri)]).toEqual([written(witness), is]);
      asked.push(written(witness));
    }
  }
  expect(asked).toEqual(
    expect.arrayContaining([
      'GET https://shop.example.com/1 with X-Canary: always',
      'GET https://shop.example.com/catalog',
      'GET https://shop.example.com/catalog/old',
      'GET https://shop.example.com/status',
      'PUT https://shop.example.com/catalog with Cookie: as=admin',
      'GET https://shop.example.com/new?v=2',
    ]),
  );
  await Promise.all([old.stop(), young.stop()]);
});
