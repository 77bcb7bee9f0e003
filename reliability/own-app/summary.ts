import { count, duration, markdownText, plural, seconds, tableRow, wholeMilliseconds } from '../report/format';
import type { ScenarioResult } from '../scenario-result';

/** What a run was of. */
export interface RunFacts {
  /** As `--get` and `--post` took them. */
  readonly getPath: string;
  readonly postPath: string;
  readonly rate: number;
  readonly backend: string;
  readonly proxy: string;
  readonly image: string;
  /** `1.34.4` */
  readonly kubernetesVersion: string;
  readonly cores: number;
  /** Seconds of all of it, the cluster among them. */
  readonly seconds: number;
}

const head = ['scenario', 'sent', 'lost', 'repeated', 'p99 ms', 'max ms', 'as before after', 'reached'];

/** The table of a run for people, as Markdown: the summary of a job. */
export function summary(done: readonly ScenarioResult[], facts: RunFacts): string {
  const missed = done.flatMap(({ name, judgements }) =>
    judgements.filter(({ reached }) => !reached).map(({ text }) => `- \`${name}\`: not reached: ${markdownText(text)}`),
  );
  const lost = done.reduce((sum, result) => sum + lostOf(result), 0);
  const { backend, proxy, image, getPath, postPath, rate, kubernetesVersion, cores } = facts;
  return [
    `### ${missed.length === 0 ? 'All was reached' : 'Not all was reached'}: ${count(lost)} of ${plural(sentOf(done), 'request')} lost`,
    '',
    tableRow(head),
    tableRow(head.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...done.map((result) => tableRow(cells(result))),
    '',
    ...missed,
    ...(missed.length === 0 ? [] : ['']),
    `GET \`${getPath}\` and POST \`${postPath}\`, ${plural(rate, 'request')} a second, half over HTTP/2, through two proxies \`${proxy}\` to four pods of \`${backend}\` ` +
      `(\`${image}\`), on a kind cluster of three nodes with Kubernetes ${markdownText(kubernetesVersion)}, all on one machine with ${plural(cores, 'core')}: ${duration(facts.seconds)}.`,
    '',
  ].join('\n');
}

function cells(result: ScenarioResult): readonly string[] {
  const { title, sent, latency, recovery, judgements } = result;
  const lost = lostOf(result);
  return [
    markdownText(title),
    count(sent),
    lost === 0 ? '0' : `**${count(lost)}**`,
    count(result.protocols['HTTP/2']?.repeated ?? 0),
    wholeMilliseconds(latency.p99),
    wholeMilliseconds(latency.max),
    recovery === undefined ? 'never' : seconds(recovery),
    judgements.every(({ reached }) => reached) ? 'yes' : '**no**',
  ];
}

function lostOf({ lostGet, lostPostSent, lostPostNotSent }: ScenarioResult): number {
  return lostGet + lostPostSent + lostPostNotSent;
}

function sentOf(done: readonly ScenarioResult[]): number {
  return done.reduce((sum, { sent }) => sum + sent, 0);
}
