import { App } from 'cdk8s';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';
import { timeline } from '../../model/timeline';
import type { Moment } from '../../reliability/scenario-result';
import { type Configuration, configuration, type Step } from '../../timeline/chain';
import { story } from '../../timeline/story';
import { withoutDnsCache } from './configurations';

function steps(of: Configuration): readonly Step[] {
  return story(of).flatMap((chain) => chain.steps);
}

function step(moment: Moment, of: Configuration): Step {
  const [found, ...others] = steps(of).filter((candidate) => candidate.moment === moment);
  if (found === undefined || others.length > 0) throw new Error(`${moment} is not that of one step`);
  return found;
}

/** By hand; a Record, so that a moment that is new is missing here at once. */
const computed: Readonly<Record<Moment, readonly [from: number, to: number]>> = {
  // endpoint slices 1 + valid 5 + timer 1
  'api-pod-starts.first-request': [0, 7],
  'api-pod-ends.last-request': [0, 7],
  // preStop 0 + 5 + 1 + 2; then 20 + 2 to answer, 5 to end, 2 to be forgotten
  'api-pod-ends.gone': [8, 37],
  // relist 1, and as above
  'api-process-dies.last-try': [0, 8],
  // relist 1 + start 5, and then failTimeout 10, which is later than probes 2 and discovery 7
  'api-process-dies.first-request-again': [0, 16],
  // 3 probes, 1 s each; 2 s before them if there was traffic
  'node-dies.connections-found': [3, 5],
  'node-dies.not-ready': [40, 60],
  // 40 less failTimeout 10 and connectTimeout 2; 60 and discovery 7
  'node-dies.last-try': [28, 67],
  // toleration 30; start 5 and probes 2
  'node-dies.pods-replaced': [70, 97],
  // the kubelet 60 × 1.5 + 1, nginx 5
  'certificate-changes.first-handshake': [0, 96],
  'certificate-changes.every-proxy': [0, 96],
  'proxy-ends.last-connection': [0, 5],
  // preStop 5; the longer of 20 and 22, and 2, to answer; 5 to end, 2 to be forgotten
  'proxy-ends.gone': [5, 36],
};

test.each(Object.entries(computed) as [Moment, readonly [number, number]][])('%s', (moment, [from, to]) => {
  expect(step(moment, withoutDnsCache).at).toEqual({ from, to });
});

describe('What an option moves', () => {
  const moved = (moment: Moment, change: Parameters<typeof timeline>[0]) =>
    step(moment, { ...withoutDnsCache, timeline: timeline({ dnsCache: '0s', ...change }) }).at;

  test('dnsCache: until when an old answer is given', () => {
    expect(moved('api-pod-starts.first-request', { dnsCache: '30s' })).toEqual({ from: 0, to: 37 });
    expect(moved('api-pod-ends.gone', { dnsCache: '30s', requestTimeout: '20s' })).toEqual({ from: 38, to: 67 });
  });

  test('resolverValid: until every proxy has asked again', () => {
    expect(moved('api-process-dies.last-try', { resolverValid: '1s' })).toEqual({ from: 0, to: 4 });
  });

  test('unreachableToleration: when pods are made elsewhere', () => {
    expect(moved('node-dies.pods-replaced', { unreachableToleration: '300s' })).toEqual({ from: 340, to: 367 });
  });

  test('proxyDeregistrationDelay: how long a proxy accepts connections', () => {
    expect(moved('proxy-ends.last-connection', { proxyDeregistrationDelay: '40s' })).toEqual({ from: 0, to: 40 });
  });

  test('failTimeout: how long a pod that is back may be left out, if that is longer than DNS needs', () => {
    const again = (failTimeout: number) =>
      step('api-process-dies.first-request-again', { ...withoutDnsCache, failTimeout });
    expect(again(30).at.to).toBe(36);
    expect(again(30).movedBy).toContainEqual({ option: 'failTimeout', seconds: 30 });
    // relist 1, start 5, probes 2, discovery 7
    expect(again(1).at.to).toBe(15);
    expect(again(1).movedBy).toContainEqual({ option: 'resolverValid', seconds: 5 });
  });

  test('a failTimeout longer than the detection of a lost node lets the last try be at once', () => {
    expect(step('node-dies.last-try', { ...withoutDnsCache, failTimeout: 60 }).at.from).toBe(0);
  });

  test('a probe finds a pod that hangs between one period less and all of them', () => {
    const hung = story(withoutDnsCache).find(({ title }) => title === 'A process of the API hangs');
    const at = hung?.steps.map((each) => each.at);
    // readiness: 2 failures, 5 s apart, after 2 s each; liveness: 6, 10 s apart, after 5 s each
    expect(at).toContainEqual({ from: 7, to: 12 });
    expect(at).toContainEqual({ from: 55, to: 65 });
  });
});

test('no time is before the event, and none ends before it begins', () => {
  for (const { at } of steps(withoutDnsCache)) {
    expect(at.from).toBeGreaterThanOrEqual(0);
    expect(at.to).toBeGreaterThanOrEqual(at.from);
  }
});

test('a figure has one range and one source wherever it stands', () => {
  const sources = new Map<string, string>();
  for (const mover of steps(withoutDnsCache).flatMap(({ movedBy }) => movedBy)) {
    if ('option' in mover) continue;
    const written = JSON.stringify(mover);
    expect(sources.get(mover.name) ?? written).toBe(written);
    sources.set(mover.name, written);
  }
  expect(sources.size).toBeGreaterThan(8);
});

describe('The configuration of a deployment', () => {
  const of = (props: Omit<LoadBalancedApiProps, 'container'>): Configuration =>
    configuration(
      new LoadBalancedApi(new App(), 'api', {
        container: { image: 'api:1.0.0' },
        tlsSecretName: 'nginx-tls',
        ...props,
      }),
    );

  test('is that of its options', () => {
    expect(of({})).toEqual({ timeline: timeline(), failTimeout: 5, certificateInterval: 5 });
    expect(of({ responseHeaders: { 'X-Note': 'fail_timeout=99s' } }).failTimeout).toBe(5);
    expect(of({ failTimeout: '7s', certificateValid: '3s' })).toEqual({
      timeline: timeline({ certificateValid: '3s' }),
      failTimeout: 7,
      certificateInterval: 3,
    });
  });
});
