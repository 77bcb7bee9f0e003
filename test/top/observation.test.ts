import { parsedScrape, type Scrape } from '../../dashboard/scrape';
import { type Answer, eventsBetween, observation } from '../../top/observation';
import { answered, certificate, someMetrics, someScrape, tried } from './some-metrics';

function pair(before: Scrape, after: Scrape, name = 'edge'): Answer {
  return { name, before, after };
}

/** What is said of a proxy whose metrics were these, and are those. */
function said(before: readonly string[], after: readonly string[]): string[] {
  const answer = pair(someScrape(0, ...before), someScrape(1000, ...after));
  return eventsBetween(1000, [{ ...answer }], [answer]).map(({ text }) => text);
}

describe('an observation', () => {
  test('adds up what several proxies did, each from its own beginning', () => {
    const { figures } = observation(
      2000,
      [
        pair(someScrape(1000, answered(10)), someScrape(2000, answered(15), answered(1, 'root', 503)), 'one'),
        pair(someScrape(1000, answered(90)), someScrape(2000, answered(2)), 'restarted'),
        { name: 'away', problem: 'is away' },
        { name: 'new', before: undefined, after: someScrape(2000, answered(5000)) },
      ],
      [],
    );
    expect(figures?.proxy).toMatchObject({ requests: 8, errors: 1 });
    expect(figures?.routes).toMatchObject([{ host: 'shop.example.com', route: 'root', path: 'root', requests: 8 }]);
  });

  test('has each proxy by itself, with its configuration and certificates', () => {
    const { proxies } = observation(
      2000,
      [pair(someScrape(1000), someScrape(2000, answered(3), ...certificate('proxy', 1_900_000_000)))],
      [],
    );
    expect(proxies).toMatchObject([
      {
        name: 'edge',
        problem: undefined,
        figures: { requests: 3 },
        configuration: 'a1b2c3d4e5',
        nginx: '1.30.0',
        certificates: [{ name: 'proxy', notAfter: 1_900_000_000_000, isRefused: false }],
      },
    ]);
  });

  test('has backends and their versions, also those that were not asked, and no backend of a redirect', () => {
    const { figures } = observation(
      1000,
      [
        pair(
          someScrape(0),
          someScrape(
            1000,
            'fairlead_upstream_no_peer_total{backend="orders"} 0',
            'fairlead_upstream_no_peer_total{backend="orders",version="canary"} 2',
            answered(4, 'orders', 200, 'backend="orders",version="canary"'),
            answered(1, 'legacy', 200, 'backend="https_legacy.example.com_443"'),
            'fairlead_http_requests_total{host="shop.example.com",route="moved",method="GET",code="308"} 1',
          ),
        ),
      ],
      [],
    );
    expect(figures?.backends.map(({ name, requests, noInstance }) => [name, requests, noInstance])).toEqual([
      ['orders', 0, 0],
      ['orders canary', 4, 2],
      ['https_legacy.example.com_443', 1, 0],
    ]);
  });
});

describe('what happened', () => {
  test('is nothing where nothing changed, and before the first look', () => {
    const metrics = [answered(1), tried(1, '10.0.0.1:3000'), ...certificate('proxy', 1)];
    expect(said(metrics, metrics)).toEqual([]);
    expect(eventsBetween(0, [], [{ name: 'edge', problem: 'is away' }])).toEqual([]);
  });

  test('is that a proxy was started again, of which no instance is new', () => {
    expect(said([answered(5)], [answered(1), tried(1, '10.0.0.1:3000')])).toEqual([
      'edge was started again, and counts from 0',
    ]);
  });

  test('is an instance that none of the proxies had asked before', () => {
    const [known, fresh] = [tried(1, '10.0.0.1:3000'), tried(1, '10.0.0.2:3000', 'backend="orders",version="canary"')];
    const one = pair(someScrape(0, known), someScrape(1000, known, fresh), 'one');
    const other = pair(someScrape(0), someScrape(1000, known), 'other');
    expect(eventsBetween(1000, [one, other], [one, other])).toEqual([
      { time: 1000, tone: 'plain', text: 'orders canary 10.0.0.2:3000 gets its first requests' },
    ]);
  });

  test('is another configuration', () => {
    const after = parsedScrape(someMetrics([], 'ffffffffff'), 1000);
    const answer = pair(someScrape(0), after);
    expect(eventsBetween(1000, [answer], [answer])).toEqual([
      { time: 1000, tone: 'plain', text: 'edge has another configuration: ffffffffff' },
    ]);
  });

  test('is another certificate, or one that is refused', () => {
    const host = 'admin.example.com';
    expect(said(certificate('proxy', 1), certificate('proxy', 2))).toEqual(['edge serves another certificate']);
    expect(said(certificate(host, 1), certificate(host, 1, true))).toEqual([
      'edge refuses the certificate of admin.example.com in its Secret, and serves the one before',
    ]);
    expect(said(certificate(host, 1, true), certificate(host, 1))).toEqual([]);
  });
});
