import { ApiObject, App } from 'cdk8s';
import * as cdk8s from 'cdk8s';
import * as plus from 'cdk8s-plus-27';
import ts from 'typescript';
import { ProxyTlsSecret } from '../../charts/proxy/certificate';
import * as fairlead from '../../index';
import { type TypeScriptBlock, typescriptBlocks } from './support/typescript-blocks';

const { Backend, Certificate, FixedResponse, LoadBalancedApi, NginxProxy, RestrictedNamespace } = fairlead;

const modules: Readonly<Record<string, object>> = { fairlead, cdk8s, 'cdk8s-plus-27': plus };

/** Those that need no more than these: no app of Express, no file, no program of others. */
const running = typescriptBlocks().filter(
  ({ imported, text }) => imported.every((name) => name in modules) && !/\bHelm\b/.test(text),
);

/** What `support/prelude.ts` declares, made when a block asks for it. */
class Around {
  private readonly made = new Map<string, unknown>();

  of(name: string): unknown {
    if (name in fairlead || name in cdk8s || name in plus) {
      return { ...plus, ...cdk8s, ...fairlead }[name as keyof typeof fairlead];
    }
    if (!this.made.has(name)) this.made.set(name, this.make(name));
    return this.made.get(name);
  }

  get app(): App {
    return this.of('app') as App;
  }

  private make(name: string): unknown {
    const namespace = (): fairlead.RestrictedNamespace => this.of('shop') as fairlead.RestrictedNamespace;
    switch (name) {
      case 'app':
        return new App();
      case 'api':
        return new LoadBalancedApi(this.app, 'api', { image: 'api:1', certificate: Certificate.fromSecret('api-tls') });
      case 'shop':
        return new RestrictedNamespace(this.app, 'shop');
      case 'edge':
        return new NginxProxy(namespace(), 'edge', {
          host: 'shop.example.com',
          certificate: Certificate.fromSecret('shop-tls'),
        });
      default:
        return new Backend(namespace(), name, { image: `${name}:1`, replicas: { min: 3, max: 12 } });
    }
  }
}

/** Runs a block as the module of an app; nothing is written. */
function run({ text, taken }: TypeScriptBlock, around: Around): App[] {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const apps: App[] = [];
  const synth = jest.spyOn(App.prototype, 'synth').mockImplementation(function (this: App) {
    apps.push(this);
  });
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is what our own pages say
    const block = new Function('require', 'exports', ...taken, outputText) as (...values: unknown[]) => void;
    block((name: string) => modules[name], {}, ...taken.map((name) => around.of(name)));
  } finally {
    synth.mockRestore();
  }
  return apps;
}

test.each(running.map((block) => [block.at, block] as const))('the block of %s is refused nothing', (_, block) => {
  const around = new Around();
  for (const app of new Set([around.app, ...run(block, around)])) {
    const constructs = app.node.findAll();
    for (const proxy of constructs.filter((construct) => construct instanceof NginxProxy)) {
      if (proxy.routes.length === 0) proxy.addRoute('/', FixedResponse.of(204));
    }
    expect(constructs.flatMap(({ node }) => node.validate())).toEqual([]);
    for (const object of constructs.filter((construct) => ApiObject.isApiObject(construct))) {
      // No key pair has to be made for it.
      if (!(object.node.scope instanceof ProxyTlsSecret)) expect(object.toJson()).toHaveProperty('kind');
    }
  }
});

test('nearly all blocks are run', () => {
  expect(running.length).toBeGreaterThan(40);
});
