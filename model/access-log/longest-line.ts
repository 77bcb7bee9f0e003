import { InvalidOption } from '../../validation/invalid-option';
import { cutTo, escapedText, type LogFieldName, logFields, type LongestRequest } from './fields';
import type { AddedField } from './options';

/** Bytes that a pipe takes in one piece (PIPE_BUF): a line that is longer could be mixed with another worker's. */
const mostBytes = 4096;

/** What stands in each line of a log. */
export interface LoggedFields {
  readonly documented: readonly LogFieldName[];
  readonly added: readonly AddedField[];
}

/** Bytes of the longest line of such a request, with its end. */
export function longestLine({ documented, added }: LoggedFields, request: LongestRequest): number {
  const all = [
    ...documented.map((name) => bytesOfField(name, logFields[name].longest(request))),
    ...added.map(bytesOfAdded),
  ];
  // The braces and the end of the line are 3, and the last field has no comma.
  return all.reduce((sum, bytes) => sum + bytes, 2);
}

/** Refuses fields with which a line of any of these requests would not fit in one write to a pipe. */
export function refuseLongLines(fields: LoggedFields, requests: readonly LongestRequest[]): void {
  const { documented, added } = fields;
  const longest = (these: LoggedFields): number => Math.max(...requests.map((request) => longestLine(these, request)));
  const bytes = longest(fields);
  if (bytes <= mostBytes) return;
  const sum = [
    `${longest({ documented, added: [] })} of documented fields`,
    ...added.map((field) => `${bytesOfAdded(field)} of ${field.name}`),
  ].join(', ');
  const saved = bytesOfField('user_agent', escapedText(cutTo.user_agent));
  const omit = documented.includes('user_agent') ? `, or omit: ["user_agent"], which saves ${saved}` : '';
  throw new InvalidOption(
    added.length === 0 ? 'accessLog.sample' : 'accessLog.add',
    `${bytes} bytes`,
    `is what a line may take (${sum}), and a pipe takes no more than ${mostBytes} in one piece: give fewer fields, or shorter ones (maxLength)${omit}`,
  );
}

/** `"name":value,` */
function bytesOfField(name: string, value: number): number {
  return name.length + value + 4;
}

function bytesOfAdded({ name, maxLength }: AddedField): number {
  return bytesOfField(name, escapedText(maxLength));
}
