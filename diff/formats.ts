import type { Output } from '../local/terminal/output';
import type { Entry, Report, Section } from './report';
import { markdownText, plainText, say, type Text } from './text';

export type Format = 'text' | 'markdown';

/** Lines for a terminal, or for a log. */
export function terminalReport({ before, after, notes, sections }: Report, output: Output): readonly string[] {
  const note = (text: Text): string => `note: ${plainText(text)}`;
  return [
    output.style('bold', plainText(say`${before} → ${after}`)),
    ...notes.map(note),
    ...(sections.length === 0 ? ['', 'Nothing differs.'] : []),
    ...sections.flatMap(({ title, entries }) => [
      '',
      output.style('bold', title),
      ...entries.flatMap(({ head, details }) => [
        `  ${plainText(head)}`,
        ...details.map((detail) => `    ${plainText(detail)}`),
      ]),
    ]),
  ];
}

/** By which a workflow finds the comment that it wrote before. */
export const commentMark = '<!-- fairlead diff -->';

/** GitHub takes no comment that is longer; GitLab takes more. */
const longestComment = 60_000;

/** A comment of a pull request. */
export function markdownReport(report: Report): string {
  for (let most = 100; most > 1; most = Math.floor(most / 2)) {
    const text = markdown(report, most);
    if (text.length <= longestComment) return text;
  }
  return markdown(report, 1).slice(0, longestComment);
}

function markdown({ before, after, notes, sections }: Report, most: number): string {
  const lines = [
    commentMark,
    '',
    `## fairlead diff: ${markdownText(say`${before} → ${after}`)}`,
    ...notes.flatMap((note) => ['', `> ${markdownText(note)}`]),
    ...(sections.length === 0 ? ['', 'Nothing differs.'] : []),
    ...sections.flatMap((section) => ['', `### ${section.title}`, '', ...markdownEntries(section, most)]),
  ];
  return `${lines.join('\n')}\n`;
}

function markdownEntries({ entries }: Section, most: number): readonly string[] {
  const shown = entries
    .slice(0, most)
    .flatMap(({ head, details }: Entry) => [
      `- **${markdownText(head)}**`,
      ...details.slice(0, most).map((detail) => `  - ${markdownText(detail)}`),
      ...(details.length > most ? [`  - and ${details.length - most} more`] : []),
    ]);
  return entries.length > most ? [...shown, `- and ${entries.length - most} more`] : shown;
}
