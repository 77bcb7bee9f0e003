import type { FailureReason } from '../nginx/reason-section';
import type { LoggedRequest } from './logged-request';

/** What is said of a request: sentences, of which none knows a terminal. */
export interface Explanation {
  /** One word for why it ended as it did. */
  readonly reason: Reason;
  readonly why: readonly string[];
  /** Whether it could have been answered after all. */
  readonly saved: readonly string[];
  readonly mend: readonly Mend[];
}

/** What to do, and commands that do it or show where. */
export type Mend = string | { readonly text: string; readonly commands: readonly string[] };

/** What may become of a request, each by its own way. */
export type Reason = FailureReason | 'answered' | 'saved';

/** A row of the decision table: the first that holds is what is said. */
export interface Branch {
  readonly reason: Reason;
  readonly holds: (request: LoggedRequest) => boolean;
  readonly said: (request: LoggedRequest) => Omit<Explanation, 'reason'>;
}

/** One status of nginx's own, of a request that no instance has answered. */
export const ofStatus =
  (...statuses: readonly number[]): Branch['holds'] =>
  ({ status }) =>
    statuses.includes(status);
