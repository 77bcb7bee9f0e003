import { answers } from './answers';
import type { Branch, Explanation } from './branch';
import type { LoggedRequest } from './logged-request';
import { failedTries } from './failed-tries';
import { refusals } from './refusals';
import { errorLogCommand } from './words';

/** What no other row is about. */
const unknown: Branch = {
  reason: 'unknown',
  holds: () => true,
  said: (request) => ({
    why: [
      `nginx itself answered ${request.line.status}, which fairlead has no case of: its error log of that second says why.`,
    ],
    saved: ['That depends on what the error log says.'],
    mend: [
      {
        text: 'Read the error log, which is on the standard error of the same container, in lines of text.',
        commands: [errorLogCommand(request)],
      },
    ],
  }),
};

/** In the order in which they are asked. */
export const decisionTable: readonly Branch[] = [...answers, ...failedTries, ...refusals, unknown];

/** Why a request ended as it did, by the first row of the table that holds. */
export function explanation(request: LoggedRequest): Explanation {
  const { reason, said } = decisionTable.find(({ holds }) => holds(request)) ?? unknown;
  return { reason, ...said(request) };
}
