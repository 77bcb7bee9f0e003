import { byId, element, Keyed, setText } from './dom.mjs';
import { count } from './format.mjs';

/** What stands behind the word for a failure: why it ended so, and what mends it. `fairlead explain` says more of each request. */
const reasons = {
  'client-left': [
    'The client closed its connection, or gave up the stream, before there was an answer.',
    'Is its own timeout shorter than requestTimeout of the backend? Or find what kept the API.',
  ],
  'stale-answer': [
    'No instance gave a new answer, so that the client got a kept one, which was an error.',
    'Find out why no instance gave a new one.',
  ],
  'kept-answer': [
    'nginx had kept this answer (cache of the route), and asked no instance.',
    'Cache-Control: no-store in an answer of the API keeps it from being kept.',
  ],
  'api-status': ['The API itself answered so, and nginx passed it on.', "The API's own log has the same request id."],
  'own-answer': [
    'The route is a FixedResponse with this status.',
    'If an API should have answered, another route takes the path.',
  ],
  'answer-timeout': [
    'An instance had the request, and said nothing for as long as requestTimeout of its backend or route.',
    'If the path needs longer: a longer requestTimeout. If the instance hangs: its liveness probe ends it.',
  ],
  'broke-off': [
    'An instance had some of the request, and ended the connection without an answer. It was not repeated, as that could do it twice, or there was nobody else.',
    'Did its process die (its log, OOMKilled)? Does it end before its requests do? Or does it close idle connections sooner than keepAliveTimeout says?',
  ],
  'no-connection': [
    'Instances took no connection within connectTimeout; nothing was sent to any.',
    'They are on a node that is lost, or behind a NetworkPolicy.',
  ],
  'connection-refused': [
    'Instances refused the connection; nothing was sent to any.',
    'Is any pod ready? Does it listen on the port that the backend says, and not on 127.0.0.1 alone?',
  ],
  'nobody-there': [
    'DNS named no instance, or each that it named had failed just before.',
    'Is any pod ready? If so: look at CoreDNS, and at the headless Service of the backend.',
  ],
  'over-limit': [
    'Too many requests were in progress: nginx refused one more at once.',
    'More proxies, or more memory of each, from which the limits follow. The error log names the limit.',
  ],
  'bad-request': [
    'What came was broken, or asked for what nginx does not do.',
    'The client is to send something else.',
  ],
  unauthorized: [
    'Nobody proved who the client is (auth of the route).',
    'WWW-Authenticate of the answer says what is asked for.',
  ],
  forbidden: [
    'allowFrom, auth or cors of the route does not let it in.',
    'If it should be: add its network to allowFrom, or what it is to auth.',
  ],
  'not-found': ['No route has the path; or its route serves files, and none has that name.', 'Add a route for it.'],
  'method-not-allowed': [
    'The route serves files, or nginx takes the method on no route.',
    'Another method, or a route to a backend.',
  ],
  'client-too-slow': [
    'The client paused in the middle of its request for too long.',
    'Longer clients.headerTimeout or bodyTimeout of the proxy.',
  ],
  'body-too-large': ['The body is longer than maxBodySize of the route.', 'A larger maxBodySize.'],
  'path-too-long': [
    'The first line, with the query string, is longer than nginx takes.',
    'What is long belongs into a body.',
  ],
  misdirected: [
    'The request names another host than the handshake of its connection did, or one that the proxy does not have.',
    'Add the host to the proxy, if it should have it.',
  ],
  'too-many-requests': [
    'Requests came more often than rateLimit of the route lets them.',
    'A greater rate or burst, if honest clients come that often.',
  ],
  'head-too-large': ['Its headers are more than nginx takes.', 'Fewer or smaller cookies, most often.'],
  undecided: [
    'nginx could not do what it has to before it asks an instance.',
    'Is the Secret or the service there that auth of the route names? The error log says more.',
  ],
  unknown: ['nginx itself answered so.', 'Its error log of that second says why.'],
};

/** What failed, a line for requests that failed alike; open, it says why. */
export class Failures {
  constructor() {
    this.rows = new Keyed(byId('failures'), {
      key: ({ host, route, code, reason }) => [host, route, code, reason].join(' '),
      make: (failure) => this.made(failure),
      update: (row, { lately, counted }) => {
        row.classList.toggle('is-now', lately > 0);
        setText(row.counts, `${count(lately)} in ten seconds, ${count(counted)} in all`);
      },
    });
  }

  describe({ explain }) {
    this.commands = explain;
  }

  show(failures) {
    byId('failures').hidden = failures.length === 0;
    byId('no-failures').hidden = failures.length > 0;
    this.rows.show(failures);
  }

  made({ host, path, code, reason }) {
    const [why, mend] = reasons[reason] ?? reasons.unknown;
    const counts = element('span', { class: 'number' });
    const row = element(
      'details',
      {},
      element(
        'summary',
        {},
        element('b', {}, code),
        ' ',
        element('span', { class: 'path', title: host }, path),
        ' ',
        element('span', {}, reason),
        ' ',
        counts,
      ),
      element('p', {}, why),
      element('p', {}, mend),
      element('p', { class: 'muted' }, 'What happened to each of them, try by try:'),
      ...this.commands.map((command) => element('code', {}, command.replace('CODE', code))),
    );
    return Object.assign(row, { counts });
  }
}
