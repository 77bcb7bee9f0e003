import type { ScenarioResult } from './scenario-result';

/** What a scenario amounts to, for the terminal: one line, where its lost requests are listed, and a line for each aim that was not reached. */
export function resultLine(result: ScenarioResult, lostFile: string): string {
  const { name, sent, lostGet, lostPostSent, lostPostNotSent, latency, recovery, judgements } = result;
  const lost = lostGet + lostPostSent + lostPostNotSent;
  const repeated = result.protocols['HTTP/2']?.repeated ?? 0;
  const columns = [
    name.padEnd(34),
    `${sent} sent`.padStart(11),
    `${lost} lost`.padStart(9),
    `${repeated} repeated`.padStart(13),
    `p99 ${Math.round(latency.p99)} ms`.padStart(12),
    `max ${Math.round(latency.max)} ms`.padStart(14),
    (recovery === undefined ? 'never as before' : `as before after ${recovery.toFixed(1)} s`).padStart(24),
  ];
  const listed = lost === 0 ? '' : `    the lost ones: ${lostFile}\n`;
  const missed = judgements.filter(({ reached }) => !reached).map(({ text }) => `    not reached: ${text}\n`);
  return `${columns.join(' ')}\n${listed}${missed.join('')}`;
}
