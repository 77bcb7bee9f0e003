import { App } from 'cdk8s';
import { Auth, Backend, Certificate, Jwks, NginxProxy, RestrictedNamespace } from '../index';

export const synthesized = { routes: 500, backends: 100 } as const;

/** Seconds until the manifests of so many routes are made and written into a directory, a fifth of them with access tokens. */
export function synthSeconds(outdir: string): number {
  const begin = performance.now();
  const app = new App({ outdir });
  const shop = new RestrictedNamespace(app, 'shop');
  const edge = new NginxProxy(shop, 'edge', {
    host: 'shop.example.com',
    certificate: Certificate.fromSecret('shop-tls'),
    resources: { memory: { limit: '2Gi' } },
  });
  const backends = Array.from(
    { length: synthesized.backends },
    (_, index) => new Backend(shop, `backend-${index}`, { image: 'api:1.0.0' }),
  );
  const issuer = 'https://id.example.com';
  for (let index = 0; index < synthesized.routes; index += 1) {
    const backend = backends[index % synthesized.backends];
    if (backend === undefined) continue;
    const auth = Auth.jwt({ issuer, audience: `audience-${index % 10}`, jwks: Jwks.fromConfigMap('issuer-keys') });
    edge.addRoute(`/route-${index}`, backend, index % 5 === 0 ? { auth } : {});
  }
  app.synth();
  return (performance.now() - begin) / 1000;
}
