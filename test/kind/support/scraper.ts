import { eventually } from '../../../cluster/progress';
import { kubectl, suite } from './suite';

/** Asks every proxy that DNS has named, every five seconds, and says after each round what each said last. */
function program(host: string, route: string): string {
  return `
    const { resolve4 } = require('node:dns/promises');
    const last = new Map();
    let ended = 0;
    const ask = async (address) => {
      const answer = await fetch('http://' + address + ':9113/metrics', { signal: AbortSignal.timeout(2000) });
      const lines = (await answer.text()).split('\\n').filter((line) => line.includes('route="${route}"'));
      const requests = lines.filter((line) => line.startsWith('fairlead_http_requests_total{'));
      const sum = requests.reduce((all, line) => all + Number(line.split(' ').at(-1)), 0);
      if (sum < last.get(address)) ended += last.get(address);
      last.set(address, sum);
    };
    const round = async () => {
      for (const address of await resolve4('${host}').catch(() => [])) last.set(address, last.get(address) ?? 0);
      await Promise.allSettled([...last.keys()].map(ask));
      console.log(JSON.stringify([last.size, [...last.values()].reduce((all, each) => all + each, ended)]));
      setTimeout(round, 5000);
    };
    void round();`;
}

/** A scraper in a pod of the catalog, which may ask, as a Prometheus would be: it keeps what a proxy said last. */
export class Scraper {
  /** How many proxies it has met, and the requests of the route that they counted. */
  private said: { readonly proxies: number; readonly requests: number } = { proxies: 0, requests: 0 };
  private rounds = 0;

  private constructor(
    private readonly end: AbortController,
    private readonly running: Promise<unknown>,
  ) {}

  static async start(route: string, proxies: number): Promise<Scraper> {
    const end = new AbortController();
    const { namespace } = suite();
    const source = program(`nginx-metrics.${namespace}.svc.cluster.local`, route);
    let onLine: (line: string) => void = () => undefined;
    const args = ['exec', `--namespace=${namespace}`, 'deployment/catalog', '--', 'node', '--eval', source];
    const options = {
      signal: end.signal,
      onLine: (line: string) => {
        onLine(line);
      },
    };
    const scraper = new Scraper(
      end,
      kubectl.run(args, options).catch(() => undefined),
    );
    onLine = (line) => {
      const [met = 0, requests = 0] = JSON.parse(line) as readonly number[];
      scraper.said = { proxies: met, requests };
      scraper.rounds += 1;
    };
    await eventually(`a scraper of ${proxies} proxies`, () => scraper.said.proxies === proxies || undefined);
    await scraper.counted();
    return scraper;
  }

  /** What all proxies have counted that it has met, some of which are gone: after it has asked twice more. */
  async counted(): Promise<number> {
    const { rounds } = this;
    await eventually('another round of the scraper', () => this.rounds >= rounds + 2 || undefined);
    return this.said.requests;
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.running;
  }
}
