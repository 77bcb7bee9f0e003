import type { LoadRequest } from '../load/load-request';
import { fairWithin, lostAfter, type LostRequests, shareDeviationSince } from './analysis';
import type { Scenario } from './scenario';
import type { AttackResult, Judgement, Latency, LossBound, ScenarioResult } from './scenario-result';

/** Seconds from the end of a cause: what DNS is kept for, its timer, and what the cluster itself takes. */
export const recoveryBound = 8;

/** Of all that is lost, at most this part by reused ports: far less than if new connections still went to the lost node. */
const byReusedPorts = 0.1;

/** What is asked of every scenario that reaches the same. */
export function judgements(
  { reaches, group, meetsGonePods = false }: Pick<Scenario, 'reaches' | 'group' | 'meetsGonePods'>,
  result: Pick<ScenarioResult, 'sent' | 'answered' | 'latency' | 'recovery' | 'waited' | 'attack'>,
  lost: LostRequests,
  baseline: Latency | undefined,
  connectTimeout: number,
): Judgement[] {
  if (reaches === 'own') return [];
  const recovered = recoveryJudgement(result);
  if (reaches === 'no GET lost') {
    return [
      result.waited === undefined
        ? { text: 'no GET lost', reached: lost.get.length + lost.getHungTwice.length === 0 }
        : { text: 'no GET lost but those that two instances had got and both hung', reached: lost.get.length === 0 },
      { text: 'no POST lost of which nothing was sent to an instance', reached: lost.postNotSent.length === 0 },
      recovered,
    ];
  }
  return [
    { text: 'no request lost', reached: result.answered === result.sent },
    ...(baseline === undefined || group !== 'operations'
      ? []
      : latencyJudgements(result.latency, baseline, meetsGonePods ? connectTimeout : 0)),
    ...(baseline === undefined || result.attack === undefined ? [] : [neighbourJudgement(result.attack, baseline)]),
    recovered,
  ];
}

function latencyJudgements({ p99, max }: Latency, baseline: Latency, connecting: number): Judgement[] {
  const longest = 1 + connecting;
  return [
    { text: 'p99 at most three times that of the baseline', reached: p99 <= 3 * baseline.p99, milliseconds: p99 },
    {
      text: `no answer over ${longest} s beyond those of the baseline`,
      reached: max <= baseline.max + longest * 1000,
      milliseconds: max,
    },
  ];
}

/** Beside an attack others have to be served as well as before. */
function neighbourJudgement({ latency }: AttackResult, baseline: Latency): Judgement {
  return {
    text: 'p99 at most twice that of the baseline while the attack lasted',
    reached: latency.p99 <= 2 * baseline.p99,
    milliseconds: latency.p99,
  };
}

export function recoveryJudgement({
  recovery = Number.POSITIVE_INFINITY,
}: Pick<ScenarioResult, 'recovery'>): Judgement {
  return {
    text: `as before within ${recoveryBound} s of the end of its cause`,
    reached: recovery <= recoveryBound,
  };
}

export function sharesJudgement(
  requests: readonly LoadRequest[],
  from: number,
  instances: readonly string[],
): Judgement {
  const deviation = shareDeviationSince(from, requests, instances);
  return { text: "each pod's share within a fifth of its fair share, at the end", reached: deviation <= fairWithin };
}

export function lossJudgement(lost: LostRequests, { from, seconds, reusedPorts }: LossBound): Judgement {
  const late = lostAfter(from + seconds * 1000, lost);
  const text = `nothing lost that was sent later than ${seconds} s after the fault, but POSTs that an instance had got`;
  if (reusedPorts === undefined) return { text, reached: late.length === 0 };
  const { get, getHungTwice, postSent, postNotSent } = lost;
  const all = get.length + getHungTwice.length + postSent.length + postNotSent.length;
  const end = from + (seconds + reusedPorts) * 1000;
  // However it was sent: a client whose kept connection was lost opens a new one as well.
  const unanswered = late.every(({ started, status }) => started < end && status === undefined);
  return {
    text: `${text}, and for ${reusedPorts} s more, a tenth of all at most, connections from a port of which one to the lost node came`,
    reached: unanswered && late.length <= all * byReusedPorts,
  };
}
