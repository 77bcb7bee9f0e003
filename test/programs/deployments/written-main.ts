import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { foreignApp } from '../running-fairlead';

/** Writes a main.ts with the proxy `edge`, the backend `orders` for all paths, and what these lines add; gives its path. */
export function writeMain(file: string, lines: readonly string[]): string {
  writeFileSync(
    file,
    `import { App } from ${JSON.stringify(resolve('node_modules/cdk8s'))};
import { Auth, Backend, Certificate, CertificateAuthority, ExternalService, Jwks, NginxProxy, RestrictedNamespace } from ${JSON.stringify(resolve('index'))};
const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const edge = new NginxProxy(shop, 'edge', { certificate: Certificate.fromSecret('tls') });
const orders = new Backend(shop, 'orders', { image: 'orders:1', local: { command: ['node', ${JSON.stringify(foreignApp)}] } });
edge.addRoute('/', orders);
${lines.join('\n')}
app.synth();
`,
  );
  return file;
}
