import { Construct } from 'constructs';
import { routeOptions, type RouteOptions } from '../model/routes/route-options';
import { knownOptions, record } from '../validation/collections';
import { allErrors, grouped, InvalidOption, named } from '../validation/invalid-option';
import { asGiven, knownValues, optional, type Reader, type Table } from '../validation/options';
import { Backend, backendName } from './backend';
import { backendOptions, type BackendProps, backendSettings } from './backend-props';
import type { Certificate } from './proxy/certificate';
import type { Exposure } from './proxy/exposure';
import { namespaceModel, type NamespaceOptions, ownNamespace, refuseTaken, RestrictedNamespace } from './namespace';
import { NginxProxy } from './proxy/nginx-proxy';
import { nginxProxyOptions, type NginxProxyProps, nginxProxySettings } from './proxy/nginx-proxy-props';
import { pathOf } from './patches';
import type { Route } from './routes/route';

/** One API behind one proxy: the options of its backend, and those of what is around it. All but `image` have a default. */
export interface LoadBalancedApiProps extends BackendProps {
  /**
   * The DNS name that clients ask for. A request for any other name is refused.
   *
   * @default 'localhost'
   * @see https://nginx.org/en/docs/http/server_names.html
   */
  readonly host?: string;

  /**
   * The certificate that clients see.
   *
   * @default Certificate.selfSigned()
   */
  readonly certificate?: Certificate;

  /**
   * How clients reach the proxies.
   *
   * @default Exposure.loadBalancer()
   */
  readonly exposure?: Exposure;

  /**
   * What becomes of requests to the API: body size, timeouts, headers.
   *
   * @default - those of RouteOptions
   */
  readonly route?: RouteOptions;

  /**
   * The proxy: how many, how large, what clients may take, headers of answers.
   *
   * @default - those of NginxProxyProps
   */
  readonly proxy?: Omit<NginxProxyProps, 'host' | 'certificate' | 'exposure' | 'routeDefaults'>;

  /**
   * The Namespace that is made, and that everything is in.
   *
   * @default - those of NamespaceOptions, named after the construct
   */
  readonly namespace?: NamespaceOptions;
}

/** Options of what is around the backend; the groups are read by what they are for. */
export const aroundOptions = {
  host: nginxProxyOptions.host,
  certificate: nginxProxyOptions.certificate,
  exposure: nginxProxyOptions.exposure,
  route: optional(asGiven as Reader<RouteOptions>),
  proxy: optional(asGiven as Reader<NginxProxyProps>),
  namespace: optional(asGiven as Reader<NamespaceOptions>),
} satisfies Table<Omit<LoadBalancedApiProps, keyof BackendProps>>;

/**
 * An API behind nginx, whole: a namespace, a backend, a proxy, and the route between them. What is added later is added to these.
 *
 * @example
 * new LoadBalancedApi(app, 'orders', { image: 'ghcr.io/acme/orders:1.4.2', host: 'orders.example.com' });
 */
export class LoadBalancedApi extends Construct {
  readonly namespace: RestrictedNamespace;
  readonly backend: Backend;
  readonly proxy: NginxProxy;
  /** The route of all paths. */
  readonly route: Route;

  constructor(scope: Construct, id: string, props: LoadBalancedApiProps) {
    const parts = named(pathOf(scope, id), () => partsOf(scope, id, props));
    super(scope, id);
    this.namespace = new RestrictedNamespace(this, id, parts.namespace);
    this.backend = new Backend(this.namespace, id, parts.backend);
    this.proxy = new NginxProxy(this.namespace, proxyName, parts.proxy);
    this.route = this.proxy.addRoute('/', this.backend, parts.route);
  }
}

/** What its objects are called. */
const proxyName = 'nginx';

interface Parts {
  readonly namespace: NamespaceOptions;
  readonly backend: BackendProps;
  readonly proxy: NginxProxyProps;
  readonly route: RouteOptions;
}

/** The options of each part, all of which are looked at before anything is made. */
function partsOf(scope: Construct, id: string, props: LoadBalancedApiProps): Parts {
  const given = record('options', props, '{ image: "ghcr.io/acme/orders:1.4.2" }');
  const { host, certificate, exposure, route = {}, proxy = {}, namespace = {}, ...backend } = props;
  allErrors(
    () => record('namespace', namespace, '{ name: "shop" }'),
    () => record('proxy', proxy, '{ replicas: 3 }'),
    () => record('route', route, '{ maxBodySize: "8m" }'),
  );
  refuseId(id, namespace);
  const proxyProps: NginxProxyProps = {
    ...proxy,
    ...(host === undefined ? {} : { host }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(exposure === undefined ? {} : { exposure }),
  };
  let model = namespaceModel('orders', {});
  allErrors(
    () => {
      knownOptions('', given, [...Object.keys(backendOptions), ...Object.keys(aroundOptions)]);
    },
    () => {
      model = grouped('namespace', () => {
        const whole = namespaceModel(id, namespace);
        refuseTaken(scope, whole.name);
        return whole;
      });
    },
    () => grouped('proxy', () => nginxProxySettings(proxyProps), ['host', 'certificate', 'exposure']),
    () => knownValues(route, routeOptions, 'route.'),
    () => backendSettings(backend, model),
  );
  return { namespace, backend, proxy: proxyProps, route };
}

/** It is the name of the backend's objects, and of the namespace unless that has one of its own. */
function refuseId(id: string, namespace: NamespaceOptions): void {
  backendName(id);
  if (namespace.name === undefined) ownNamespace('id', id);
  if (id === proxyName) throw new InvalidOption('id', id, 'is the name of the objects of its proxy: give another');
}
