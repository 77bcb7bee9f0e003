// Who may use what: pages of another origin, people who sign in, the office with a password, and partners with certificates.
import { App } from 'cdk8s';
import { Auth, Backend, CertificateAuthority, Cors, NginxProxy, RateLimit, RestrictedNamespace } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2', replicas: { min: 3, max: 12 } });
/** Knows who is signed in, and has the page for it. */
const sessions = new Backend(shop, 'sessions', { image: 'ghcr.io/acme/sessions:2.0.0' });

const edge = new NginxProxy(shop, 'edge', {
  host: 'api.example.com',
  routeDefaults: { cors: Cors.allow(['https://www.example.com'], { credentials: true }) },
});

// Everyone, and scripts of the pages of www.example.com.
edge.addRoute('/catalog', orders);
edge.addRoute('/login', sessions);

// Who is signed in; a browser that is not is led to where one can.
edge.addRoute('/orders', orders, {
  auth: Auth.external(sessions, { path: '/verify', responseHeaders: ['X-User'], signIn: { url: '/login' } }),
});

// From the office alone, with a password, which is guessed slowly; no page of another origin.
edge.addRoute('/admin', orders, {
  allowFrom: ['203.0.113.0/24', '2001:db8::/32'],
  auth: Auth.basic({ secret: 'admins' }),
  rateLimit: RateLimit.perClient('1/s', { burst: 10 }),
  cors: Cors.none(),
});

// Programs of partners, by a certificate. On a host of their own, as browsers ask people for one wherever a server may take it.
const partners = edge.addHost('partners.example.com', { routeDefaults: { cors: Cors.none() } });
partners.addRoute('/orders', orders, {
  auth: Auth.clientCertificate(CertificateAuthority.fromSecret('partners-ca'), { headers: { 'X-Partner': 'subject' } }),
});
app.synth();
