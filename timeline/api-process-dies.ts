import { type Chain, option } from './chain';
import type { Configuration } from './configuration';
import { discovery } from './discovery';
import { figures } from './kubernetes-figures';
import { after, exactly, upTo } from './range';

export function apiProcessDies({ timeline, failTimeout }: Configuration): Chain {
  const known = discovery(timeline);
  const listens = after(figures.relist.range, figures.containerStart.range);
  const ready = after(listens, figures.startupProbe.range, figures.readinessStatus.range);
  const byDns = after(ready, known.takes);
  const byFailTimeout = after(listens, upTo(failTimeout));
  return {
    title: 'A process of the API dies',
    beginning: 'the process is killed, or is out of memory',
    steps: [
      {
        at: exactly(0),
        what: 'Its connections break: an idempotent request goes to another pod at once, and so does one of which nothing was sent; a POST that was sent is answered 502',
        movedBy: [],
      },
      {
        at: exactly(0),
        what: 'New tries are refused at once and go to another pod; after maxFails of them a proxy leaves the pod out for failTimeout',
        movedBy: [option('failTimeout', failTimeout)],
      },
      {
        at: figures.relist.range,
        what: 'The kubelet sees it, tells that the pod is not Ready, and starts the container again (at once the first time, then after 10 s, 20 s and so on up to 5 min)',
        movedBy: [figures.relist],
      },
      {
        at: after(figures.relist.range, known.takes),
        what: 'The last request that is tried on it: every proxy has asked DNS again, unless it is back before that',
        movedBy: [figures.relist, ...known.movedBy],
        moment: 'api-process-dies.last-try',
      },
      {
        at: ready,
        what: 'It is Ready again',
        movedBy: [figures.relist, figures.containerStart, figures.startupProbe, figures.readinessStatus],
      },
      {
        at: { from: 0, to: Math.max(byDns.to, byFailTimeout.to) },
        what: 'Its first request again: as soon as it listens if no proxy has missed it, else when DNS gives it again or failTimeout is over',
        movedBy: [
          figures.containerStart,
          ...(byFailTimeout.to > byDns.to ? [option('failTimeout', failTimeout)] : known.movedBy),
        ],
        moment: 'api-process-dies.first-request-again',
      },
    ],
  };
}
