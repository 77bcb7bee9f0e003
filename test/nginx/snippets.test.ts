import { nginxConf } from '../../nginx/nginx-conf';
import { onTestFinished } from '../afterwards';
import { proxyModel, somePlace } from './support/models';
import { testConfiguration } from './support/real-nginx';
import { startWithBackends } from './support/several-backends';

test('snippets stand where they belong, and nginx goes by them on every way of a route', async () => {
  const hosts = [
    {
      snippets: ['add_header X-Server "of the host" always;'],
      routes: [{ path: '/' }, { path: '/orders', snippets: ['add_header X-Route "of ${request_method}" always;'] }],
    },
  ] as const;
  const model = { hosts, snippets: ['map $arg_a $snippet_a { default "no"; yes "yes"; }'] };
  const { nginx, apis, stop } = await startWithBackends(model);
  onTestFinished(stop);
  expect((await nginx.get({ path: '/' })).headers).toMatchObject({ 'x-server': 'of the host' });
  expect((await nginx.get({ path: '/' })).headers).not.toHaveProperty('x-route');
  expect((await nginx.get({ path: '/orders/1' })).headers).toMatchObject({
    'x-server': 'of the host',
    'x-route': 'of GET',
  });
  // The further tries of the route have it too.
  await apis.api?.stop();
  expect(await nginx.get({ path: '/orders/1' })).toMatchObject({
    status: 503,
    headers: { 'x-server': 'of the host' },
  });
});

test('snippets are indented as what is around them, and nginx takes them', async () => {
  const conf = nginxConf(
    proxyModel({ snippets: ['gzip_comp_level 4;\nmap $uri $own {\n  default 1;\n}'] }),
    somePlace(),
  );
  expect(conf).toContain('\n  gzip_comp_level 4;\n  map $uri $own {\n    default 1;\n  }\n}\n');
  await testConfiguration(conf);
});
