import { resolve } from 'node:path';
import { deployedProxies } from '../../cluster/deployed-proxies';
import { deployed, routes } from '../../reliability/scenarios/routes';

test('every prefix that is asked is a route of what is deployed, which keeps the names of the standard state', () => {
  const [proxy, ...others] = deployedProxies(resolve(deployed.main), {
    FAIRLEAD_ENVIRONMENT: 'kind',
    ...deployed.variables,
  });
  expect(others).toEqual([]);
  expect([proxy.namespace.name, proxy.node.id]).toEqual(['api', 'nginx']);
  const paths = proxy.routes.map(({ model }) => model.path.path).filter((path) => path !== '/');
  expect(paths).toEqual(routes.asks?.prefixes);
  // Tokens are checked by the key that the load signs with.
  const auths = proxy.routes.map(({ model }) => model.auth?.kind).filter((kind) => kind !== undefined);
  expect(auths).toEqual(['jwt', 'external']);
});
