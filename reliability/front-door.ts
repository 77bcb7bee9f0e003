import { App } from 'cdk8s';
import { exampleBackend, forEnvironment } from '../environments';
import { Backend, LoadBalancedApi, RequestKey, Rewrite, TrafficSplit } from '../index';

/** How much each version of the orders gets, in percent: `{"orders":95,"orders-v2":5}`. What is not named is not made. */
const weights = JSON.parse(process.env.FAIRLEAD_WEIGHTS ?? '{"orders":100}') as Readonly<Record<string, number>>;

/** What the scenario `canary` deploys: the API of main.ts, and beside it versions of the same image under a path of their own. */
const app = new App();
const props = forEnvironment({ image: 'ghcr.io/acme/api:1.0.0' });
const api = new LoadBalancedApi(app, 'api', props);
const backend = { ...exampleBackend, replicas: 2, requestTimeout: props.requestTimeout ?? '60s' } as const;
const versions = Object.entries(weights).map(([id, weight]) => ({
  // Not by addVersion: the first version may be gone.
  target: new Backend(api.namespace, id, { ...backend, versionOf: 'orders' }),
  weight,
}));
api.proxy.addRoute('/orders', TrafficSplit.weighted(versions, { stickyBy: RequestKey.header('X-Client') }), {
  rewrite: Rewrite.stripPrefix(),
});
app.synth();
